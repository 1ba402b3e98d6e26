#import random

struct Params {
    seed: u32,
    step: u32,
    layer: u32,
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> ranges: array<u32>;
@group(0) @binding(3) var<storage, read_write> words: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read_write> units: array<f32>;
@group(0) @binding(5) var<storage, read_write> belows: array<u32>;

@compute @workgroup_size(64)
fn draws(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= params.length {
        return;
    }
    let four = random(params.seed, params.step, STREAM_SIGNS, params.layer, indices[i]);
    words[i] = four;
    units[i] = unit(four.y);
    belows[i] = below(four.x, ranges[i]);
}
