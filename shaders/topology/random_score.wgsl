// SET's scores: random, so that growth is uniform among the candidates.
#import grid
#import random
#import step

struct Params {
    capacity: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> scores: array<f32>; // [capacity]
@group(0) @binding(2) var<uniform> step: StepState;

@compute @workgroup_size(256)
fn random_score(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let i = flat_group(group, groups) * 256u + index;
    if i < params.capacity {
        scores[i] = unit(random(step.seed, step.step, STREAM_RANDOM_SCORES, 0u, i).x);
    }
}
