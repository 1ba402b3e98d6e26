// Softmax and cross-entropy with label smoothing, and the gradient at the logits. One invocation per sample of the
// batch.
#import grid
#import softmax_cross_entropy

struct Params {
    classes: u32,
    lanes: u32,
    smoothing: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [classes][lanes]
@group(0) @binding(3) var<storage, read> labels: array<u32>; // [lanes]
@group(0) @binding(4) var<storage, read_write> delta: array<f32>; // [classes][lanes]
@group(0) @binding(5) var<storage, read_write> losses: array<f32>; // [lanes]
@group(0) @binding(6) var<storage, read_write> correct: array<f32>; // [lanes]

@compute @workgroup_size(64)
fn softmax_cross_entropy(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = flat_group(group, groups) * 64u + index;
    if lane >= params.lanes {
        return;
    }
    let found = loss_of(lane);
    losses[lane] = found.x;
    correct[lane] = found.y;
}
