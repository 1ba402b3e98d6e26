// Moves a share of each sample's target from its class to another one, in the loss and in the gradient that
// cross-entropy against the class has left. One invocation per sample.
#import grid
#import step

struct Params {
    lanes: u32,
    kept: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [classes][lanes]
@group(0) @binding(3) var<storage, read> labels: array<u32>; // [lanes]
@group(0) @binding(4) var<storage, read> others: array<u32>; // [lanes]
@group(0) @binding(5) var<storage, read> shares: array<f32>; // [lanes]
@group(0) @binding(6) var<storage, read_write> delta: array<f32>; // [classes][lanes]
@group(0) @binding(7) var<storage, read_write> losses: array<f32>; // [lanes]

@compute @workgroup_size(64)
fn mix_labels(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = flat_group(group, groups) * 64u + index;
    if lane >= params.lanes || lane >= step.count {
        return;
    }
    let own = labels[lane] * params.lanes + lane;
    let other = others[lane] * params.lanes + lane;
    let share = shares[lane] * params.kept;
    losses[lane] += share * (logits[own] - logits[other]);
    let slope = share / f32(step.total);
    delta[own] += slope;
    delta[other] -= slope;
}
