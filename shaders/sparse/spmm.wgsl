// SpMM: a tile of 32 vec4 of one row of output units per line of lanes, the batch over the lanes, vec4 at a time.
// The weight and the index are the same for all lanes of a row; each lane keeps VECTORS sums in registers. Neighbouring
// lines are the same tile of different rows, and so read the same part of the input.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1 or 4

const TILE = 32u;

struct Params {
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    relu: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(4) var<storage, read> bias: array<f32>; // [R]
@group(0) @binding(5) var<storage, read> input: array<vec4<f32>>; // [n_in][vectors]
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>; // [n_out][vectors]

fn finish(sum: vec4<f32>) -> vec4<f32> {
    // A NaN stays a NaN, so that a diverged run shows.
    return select(sum, vec4(0.0), (sum < vec4(0.0)) & vec4(params.relu != 0u));
}

@compute @workgroup_size(LANES, ROWS)
fn spmm(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = flat_group(group, groups) * ROWS + local.y;
    let tile = index / params.rows;
    let unit = index - tile * params.rows;
    let vectors = params.vectors;
    let first = tile * TILE;
    if first >= vectors {
        return;
    }
    let row = params.first_row + unit;
    let begin = row_offsets[row];
    let end = row_offsets[row + 1u];
    let initial = vec4(bias[row]);

    if VECTORS == 4u && first + 4u * LANES <= vectors {
        let v = first + local.x;
        var s0 = initial;
        var s1 = initial;
        var s2 = initial;
        var s3 = initial;
        for (var j = begin; j < end; j++) {
            let w = weights[j];
            let at = (cols[j] - params.first_col) * vectors + v;
            s0 += w * input[at];
            s1 += w * input[at + LANES];
            s2 += w * input[at + 2u * LANES];
            s3 += w * input[at + 3u * LANES];
        }
        let at = unit * vectors + v;
        output[at] = finish(s0);
        output[at + LANES] = finish(s1);
        output[at + 2u * LANES] = finish(s2);
        output[at + 3u * LANES] = finish(s3);
    } else {
        for (var v = first + local.x; v < min(first + TILE, vectors); v += LANES) {
            var s = initial;
            for (var j = begin; j < end; j++) {
                s += weights[j] * input[(cols[j] - params.first_col) * vectors + v];
            }
            output[unit * vectors + v] = finish(s);
        }
    }
}
