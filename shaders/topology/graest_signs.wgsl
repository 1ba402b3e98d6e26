// The random signs of the GraEst sketch, one per output position and sample of the batch, the same for activations and
// deltas.
#import grid
#import random
#import step

struct Params {
    lanes: u32,
    positions: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> signs: array<f32>; // [positions][lanes]
@group(0) @binding(2) var<uniform> step: StepState;

@compute @workgroup_size(256)
fn graest_signs(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let at = flat_group(group, groups) * 256u + index;
    if at >= params.positions * params.lanes {
        return;
    }
    let position = at / params.lanes;
    let lane = at - position * params.lanes;
    // By the sample's index in the whole batch, however that is split.
    let words = random(step.seed, step.step, STREAM_SIGNS, position, step.first + lane);
    let sign = select(-1.0, 1.0, (words.x >> 31u) == 0u);
    // Padding takes no part.
    signs[at] = select(0.0, sign, lane < step.count);
}
