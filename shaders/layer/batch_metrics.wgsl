// Sums the losses and scores of a batch into one slot of a ring, which the host reads now and then, so that no step
// waits for it. One workgroup; the order of the sum is fixed.
#import step

const LANES = 64u;

struct Params {
    lanes: u32,
    slots: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> losses: array<f32>; // [lanes]
@group(0) @binding(3) var<storage, read> scores: array<f32>; // [lanes]
@group(0) @binding(4) var<storage, read_write> ring: array<f32>; // [slots][2]: sum of losses, sum of scores

var<workgroup> loss: array<f32, LANES>;
var<workgroup> score: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn batch_metrics(@builtin(local_invocation_index) lane: u32) {
    var l = 0.0;
    var s = 0.0;
    for (var i = lane; i < params.lanes; i += LANES) {
        l += losses[i];
        s += scores[i];
    }
    loss[lane] = l;
    score[lane] = s;
    workgroupBarrier();
    if lane == 0u {
        for (var i = 1u; i < LANES; i++) {
            l += loss[i];
            s += score[i];
        }
        let slot = step.step % params.slots;
        var before = vec2(0.0);
        if step.first > 0u {
            before = vec2(ring[2u * slot], ring[2u * slot + 1u]);
        }
        ring[2u * slot] = before.x + l;
        ring[2u * slot + 1u] = before.y + s;
    }
}
