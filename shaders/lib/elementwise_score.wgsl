// A score that is a sum over a sample's outputs of a function of each output and its target: `part` is that function,
// and `whole` converts the sum. One invocation per sample of the batch: neighbours read neighbouring words of a row.
#import grid
#import step
#import unfixed

struct Params {
    outputs: u32,
    lanes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> output: array<f32>; // [outputs][lanes]
@group(0) @binding(3) var<storage, read> targets: array<f32>; // [outputs][lanes]
@group(0) @binding(4) var<storage, read_write> scores: array<f32>; // [lanes]

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
    var sum = 0.0;
    for (var o = 0u; o < outputs; o++) {
        let at = o * params.lanes + lane;
        sum += part(o, output[at], targets[at]);
    }
    scores[lane] = select(0.0, whole(sum), lane < step.count);
}
