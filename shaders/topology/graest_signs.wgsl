// The random signs of the GraEst sketch, one per member of the batch, the same for activations and deltas.
#import grid
#import random
#import step

struct Params {
    lanes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> signs: array<f32>; // [lanes]
@group(0) @binding(2) var<uniform> step: StepState;

@compute @workgroup_size(256)
fn graest_signs(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = flat_group(group, groups) * 256u + index;
    if lane >= params.lanes {
        return;
    }
    let words = random(step.seed, step.step, STREAM_SIGNS, 0u, lane);
    let sign = select(-1.0, 1.0, (words.x >> 31u) == 0u);
    // Padding takes no part.
    signs[lane] = select(0.0, sign, lane < step.count);
}
