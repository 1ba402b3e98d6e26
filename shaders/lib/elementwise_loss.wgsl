// A loss that is the mean over a sample's outputs of a function of each output and its target: `compared` gives its
// value and its derivative by the output. One invocation per sample of the batch: neighbours read neighbouring words of
// a row.
//
// The importing kernel has `params.outputs` and `params.lanes`.
#import grid
#import step
#import unfixed

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> output: array<f32>; // [outputs][lanes]
@group(0) @binding(3) var<storage, read> targets: array<f32>; // [outputs][lanes]
@group(0) @binding(4) var<storage, read_write> delta: array<f32>; // [outputs][lanes]
@group(0) @binding(5) var<storage, read_write> losses: array<f32>; // [lanes]

@compute @workgroup_size(64)
fn ENTRY(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = flat_group(group, groups) * 64u + index;
    if lane >= params.lanes {
        return;
    }
    let outputs = unfixed(params.outputs, arrayLength(&output));
    let there = lane < step.count;
    let scale = 1.0 / (f32(params.outputs) * f32(step.total));
    var sum = 0.0;
    for (var o = 0u; o < outputs; o++) {
        let at = o * params.lanes + lane;
        let found = compared(o, output[at], targets[at]);
        sum += found.x;
        delta[at] = select(0.0, scale * found.y, there);
    }
    losses[lane] = select(0.0, sum / f32(params.outputs), there);
}
