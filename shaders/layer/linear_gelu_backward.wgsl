// Transposed SpMM, back through the GELU of `taken`, which made the layer's input.
#import spmm_transposed
#import normal

struct Params {
    cols: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    rows: u32, // no column has more connections
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> col_offsets: array<u32>; // [C + 1]
@group(0) @binding(2) var<storage, read> order: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> order_rows: array<u32>; // [N]
@group(0) @binding(4) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(5) var<storage, read> delta: array<vec4<f32>>; // [n_out][vectors]
@group(0) @binding(6) var<storage, read> taken: array<vec4<f32>>; // [n_in][vectors]: what went into the GELU
@group(0) @binding(7) var<storage, read_write> output: array<vec4<f32>>; // [n_in][vectors]

// Each piece of a column continues from the one before.
fn before(at: u32) -> vec4<f32> {
    if part.begin == 0u {
        return vec4(0.0);
    }
    return output[at];
}

fn finish(at: u32, sum: vec4<f32>, last: bool) {
    if last {
        let x = taken[at];
        let n = normal(x);
        output[at] = sum * (n.distribution + x * n.density);
    } else {
        output[at] = sum;
    }
}
