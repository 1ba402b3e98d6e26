// Transposed SpMM, masked by the activation whose ReLU it passes back through.
#import spmm_transposed

struct Params {
    cols: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    relu: u32,
    accumulate: u32,
    rows: u32, // no column has more connections
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> col_offsets: array<u32>; // [C + 1]
@group(0) @binding(2) var<storage, read> order: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> order_rows: array<u32>; // [N]
@group(0) @binding(4) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(5) var<storage, read> delta: array<vec4<f32>>; // [n_out][vectors]
@group(0) @binding(6) var<storage, read> activation: array<vec4<f32>>; // [n_in][vectors]
@group(0) @binding(7) var<storage, read_write> output: array<vec4<f32>>; // [n_in][vectors]

// What a sum is added to; each piece of a column continues from the one before.
fn before(at: u32) -> vec4<f32> {
    if params.accumulate == 0u && part.begin == 0u {
        return vec4(0.0);
    }
    return output[at];
}

fn finish(at: u32, sum: vec4<f32>, last: bool) {
    if params.relu == 0u || !last {
        output[at] = sum;
    } else {
        output[at] = select(vec4(0.0), sum, activation[at] > vec4(0.0));
    }
}
