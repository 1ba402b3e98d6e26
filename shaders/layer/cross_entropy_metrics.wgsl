// softmax_cross_entropy and batch_metrics in one dispatch: a single workgroup with an invocation per sample, in which the
// sums have the order of batch_metrics.
#import softmax_cross_entropy
#import batch_metrics

const SAMPLES = 256u; // the most lanes; a multiple of LANES

struct Params {
    classes: u32,
    lanes: u32,
    smoothing: f32,
    slots: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [classes][lanes]
@group(0) @binding(3) var<storage, read> labels: array<u32>; // [lanes]
@group(0) @binding(4) var<storage, read_write> delta: array<f32>; // [classes][lanes]
@group(0) @binding(5) var<storage, read_write> losses: array<f32>; // [lanes]
@group(0) @binding(6) var<storage, read_write> correct: array<f32>; // [lanes]
@group(0) @binding(7) var<storage, read_write> ring: array<f32>; // [slots][2]: sum of losses, sum of scores

var<workgroup> both: array<vec2<f32>, SAMPLES>; // loss and score

@compute @workgroup_size(SAMPLES)
fn cross_entropy_metrics(@builtin(local_invocation_index) lane: u32) {
    var found = vec2(0.0);
    if lane < params.lanes {
        found = loss_of(lane);
        losses[lane] = found.x;
        correct[lane] = found.y;
    }
    both[lane] = found;
    workgroupBarrier();
    var sums = vec2(0.0);
    if lane < LANES {
        for (var i = lane; i < SAMPLES; i += LANES) {
            sums += both[i];
        }
    }
    put_sums(lane, sums);
}
