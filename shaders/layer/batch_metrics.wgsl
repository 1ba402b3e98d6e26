// Sums the losses and scores of a batch into one slot of a ring, which the host reads now and then, so that no step
// waits for it. One workgroup; the order of the sum is fixed.
#import batch_metrics

struct Params {
    lanes: u32,
    slots: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> losses: array<f32>; // [lanes]
@group(0) @binding(3) var<storage, read> scores: array<f32>; // [lanes]
@group(0) @binding(4) var<storage, read_write> ring: array<f32>; // [slots][2]: sum of losses, sum of scores

@compute @workgroup_size(LANES)
fn batch_metrics(@builtin(local_invocation_index) lane: u32) {
    var l = 0.0;
    var s = 0.0;
    for (var i = lane; i < params.lanes; i += LANES) {
        l += losses[i];
        s += scores[i];
    }
    put_sums(lane, vec2(l, s));
}
