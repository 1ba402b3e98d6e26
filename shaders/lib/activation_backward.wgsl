// The backward pass of an activation function, given by `gradient`.
#import pointwise

struct Params {
    vectors: u32,
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [vectors]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [vectors]
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>; // [vectors]

fn compute(i: u32) {
    var d = gradient(input[i], delta[i]);
    if params.accumulate != 0u {
        d += output[i];
    }
    output[i] = d;
}
