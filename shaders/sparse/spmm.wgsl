// SpMM, through the ReLU that may follow.
#import spmm

struct Params {
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    relu: u32,
    cols: u32, // no row has more connections
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(4) var<storage, read> bias: array<f32>; // [R]
@group(0) @binding(5) var<storage, read> input: array<vec4<f32>>; // [n_in][vectors]
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>; // [n_out][vectors]

fn finish(at: u32, sum: vec4<f32>, last: bool) {
    // A NaN stays a NaN, so that a diverged run shows.
    output[at] = select(sum, vec4(0.0), (sum < vec4(0.0)) & vec4(params.relu != 0u && last));
}
