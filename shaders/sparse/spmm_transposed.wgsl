// Transposed SpMM: as spmm, gathered in the transposed order; masked by the activation whose ReLU it passes back through.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1 or 4

struct Params {
    cols: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> col_offsets: array<u32>; // [C + 1]
@group(0) @binding(2) var<storage, read> order: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> order_rows: array<u32>; // [N]
@group(0) @binding(4) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(5) var<storage, read> delta: array<vec4<f32>>; // [n_out][vectors]
@group(0) @binding(6) var<storage, read> activation: array<vec4<f32>>; // [n_in][vectors]
@group(0) @binding(7) var<storage, read_write> output: array<vec4<f32>>; // [n_in][vectors]

fn finish(at: u32, sum: vec4<f32>) {
    let keep = (activation[at] > vec4(0.0)) | vec4(params.relu == 0u);
    output[at] = select(vec4(0.0), sum, keep);
}

@compute @workgroup_size(LANES, ROWS)
fn spmm_transposed(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let unit = flat_group(group, groups) * ROWS + local.y;
    if unit >= params.cols {
        return;
    }
    let begin = col_offsets[params.first_col + unit];
    let end = col_offsets[params.first_col + unit + 1u];
    let vectors = params.vectors;

    var first = 0u;
    if VECTORS == 4u {
        for (; first + 4u * LANES <= vectors; first += 4u * LANES) {
            let v = first + local.x;
            var s0 = vec4(0.0);
            var s1 = vec4(0.0);
            var s2 = vec4(0.0);
            var s3 = vec4(0.0);
            for (var j = begin; j < end; j++) {
                let w = weights[order[j]];
                let at = (order_rows[j] - params.first_row) * vectors + v;
                s0 += w * delta[at];
                s1 += w * delta[at + LANES];
                s2 += w * delta[at + 2u * LANES];
                s3 += w * delta[at + 3u * LANES];
            }
            let at = unit * vectors + v;
            finish(at, s0);
            finish(at + LANES, s1);
            finish(at + 2u * LANES, s2);
            finish(at + 3u * LANES, s3);
        }
    }
    for (var v = first + local.x; v < vectors; v += LANES) {
        var s = vec4(0.0);
        for (var j = begin; j < end; j++) {
            s += weights[order[j]] * delta[(order_rows[j] - params.first_row) * vectors + v];
        }
        finish(unit * vectors + v, s);
    }
}
