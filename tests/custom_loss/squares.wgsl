// Mean squared error, and its gradient. One invocation per sample of the batch.
#import grid
#import step

struct Params {
    outputs: u32,
    lanes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> output: array<f32>; // [outputs][lanes]
@group(0) @binding(3) var<storage, read> targets: array<f32>; // [outputs][lanes]
@group(0) @binding(4) var<storage, read_write> delta: array<f32>; // [outputs][lanes]
@group(0) @binding(5) var<storage, read_write> losses: array<f32>; // [lanes]

@compute @workgroup_size(64)
fn squares(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = flat_group(group, groups) * 64u + index;
    if lane >= params.lanes {
        return;
    }
    let there = lane < step.count;
    let scale = 2.0 / f32(params.outputs * step.total);
    var sum = 0.0;
    for (var o = 0u; o < params.outputs; o++) {
        let at = o * params.lanes + lane;
        let error = select(0.0, output[at] - targets[at], there);
        delta[at] = scale * error;
        sum += error * error;
    }
    losses[lane] = sum / f32(params.outputs);
}
