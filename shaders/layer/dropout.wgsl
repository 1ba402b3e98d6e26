// Inverted dropout, whose mask is recomputed wherever it is needed. One row of the activation per line of lanes: four
// samples of the batch share a hash, and a row its key. Twin: src/layer/dropout.rs, which says why the keys are sound.
#import grid
#import random
#import step

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    elements: u32,
    vectors: u32,
    layer: u32,
    threshold: u32, // a random word below it drops
    scale: f32,
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [elements][vectors]
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>; // [elements][vectors]

// The words of the four samples from `4 * group + shift` on.
fn member_words(key: vec3<u32>, group: u32, shift: u32) -> vec4<u32> {
    let words = pcg4d(vec4(key, group));
    if shift == 0u {
        return words;
    }
    let next = pcg4d(vec4(key, group + 1u));
    if shift == 1u {
        return vec4(words.yzw, next.x);
    }
    if shift == 2u {
        return vec4(words.zw, next.xy);
    }
    return vec4(words.w, next.xyz);
}

@compute @workgroup_size(LANES, ROWS)
fn dropout(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let element = flat_group(group, groups) * ROWS + local.y;
    if element >= params.elements {
        return;
    }
    let key = random(step.seed, step.step, STREAM_DROPOUT, params.layer, element).xyz;
    let first = step.first / 4u;
    let shift = step.first % 4u;
    for (var v = local.x; v < params.vectors; v += LANES) {
        let words = member_words(key, first + v, shift);
        let at = element * params.vectors + v;
        var y = input[at] * select(vec4(0.0), vec4(params.scale), words >= vec4(params.threshold));
        if params.accumulate != 0u {
            y += output[at];
        }
        output[at] = y;
    }
}
