// The last part of a sum of losses and scores over the batch, in a fixed order, into one slot of a ring.
#import step

const LANES = 64u;

var<workgroup> loss: array<f32, LANES>;
var<workgroup> score: array<f32, LANES>;

// Adds up what LANES invocations of a workgroup have summed; all of the workgroup's invocations must call it.
fn put_sums(lane: u32, sums: vec2<f32>) {
    if lane < LANES {
        loss[lane] = sums.x;
        score[lane] = sums.y;
    }
    workgroupBarrier();
    if lane == 0u {
        var l = sums.x;
        var s = sums.y;
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
