// The sum of two arrays.
#import pointwise

struct Params {
    vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<vec4<f32>>; // [vectors]
@group(0) @binding(2) var<storage, read> b: array<vec4<f32>>; // [vectors]
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>; // [vectors]

fn compute(i: u32) {
    output[i] = a[i] + b[i];
}
