// SpMM: a tile of 32 vec4 of one row of output units per line of lanes, with the batch over the lanes, a vec4 at a
// time. The weight and the index are the same for all lanes of a row; each lane keeps VECTORS sums in registers.
// Neighbouring lines are the same tile of different rows, and so read the same part of the input. A kernel's `finish`
// stores a sum that may be its row's last part; needs its params and bindings.
#import grid
#import part

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1 or 4
override UNROLL: u32 = 4u; // 4 or 8

const TILE = 32u;

// What the sum at a place starts from: the bias, or the sum of the earlier pieces.
fn before(initial: vec4<f32>, at: u32) -> vec4<f32> {
    if part.begin == 0u {
        return initial;
    }
    return output[at];
}

@compute @workgroup_size(LANES, ROWS)
fn ENTRY(
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
    let row_begin = row_offsets[row];
    let row_end = row_offsets[row + 1u];
    // This piece's connections; none if an earlier piece has finished the row.
    let begin = min(row_begin + part.begin, row_end);
    let end = min(row_begin + part.end, row_end);
    if part.begin > 0u && begin == row_end {
        return;
    }
    let last = end == row_end;
    let initial = vec4(bias[row]);

    if VECTORS == 4u && first + 4u * LANES <= vectors {
        let v = first + local.x;
        let to = unit * vectors + v;
        var s0 = before(initial, to);
        var s1 = before(initial, to + LANES);
        var s2 = before(initial, to + 2u * LANES);
        var s3 = before(initial, to + 3u * LANES);
        for (var j = begin; j < end; j++) {
            let w = weights[j];
            let at = (cols[j] - params.first_col) * vectors + v;
            s0 += w * input[at];
            s1 += w * input[at + LANES];
            s2 += w * input[at + 2u * LANES];
            s3 += w * input[at + 3u * LANES];
        }
        finish(to, s0, last);
        finish(to + LANES, s1, last);
        finish(to + 2u * LANES, s2, last);
        finish(to + 3u * LANES, s3, last);
    } else {
        for (var v = first + local.x; v < min(first + TILE, vectors); v += LANES) {
            let to = unit * vectors + v;
            var s = before(initial, to);
            // On hardware, four or eight loads are in flight at a time, added up in the row's order.
            var j = begin;
            if VECTORS == 1u && UNROLL == 8u {
                for (; j + 7u < end; j += 8u) {
                    let near = (vec4(cols[j], cols[j + 1u], cols[j + 2u], cols[j + 3u]) - params.first_col)
                        * vectors + v;
                    let far = (vec4(cols[j + 4u], cols[j + 5u], cols[j + 6u], cols[j + 7u]) - params.first_col)
                        * vectors + v;
                    let x0 = input[near.x];
                    let x1 = input[near.y];
                    let x2 = input[near.z];
                    let x3 = input[near.w];
                    let x4 = input[far.x];
                    let x5 = input[far.y];
                    let x6 = input[far.z];
                    let x7 = input[far.w];
                    s += weights[j] * x0;
                    s += weights[j + 1u] * x1;
                    s += weights[j + 2u] * x2;
                    s += weights[j + 3u] * x3;
                    s += weights[j + 4u] * x4;
                    s += weights[j + 5u] * x5;
                    s += weights[j + 6u] * x6;
                    s += weights[j + 7u] * x7;
                }
            }
            for (; VECTORS == 1u && j + 3u < end; j += 4u) {
                let at = (vec4(cols[j], cols[j + 1u], cols[j + 2u], cols[j + 3u]) - params.first_col) * vectors + v;
                let x0 = input[at.x];
                let x1 = input[at.y];
                let x2 = input[at.z];
                let x3 = input[at.w];
                s += weights[j] * x0;
                s += weights[j + 1u] * x1;
                s += weights[j + 2u] * x2;
                s += weights[j + 3u] * x3;
            }
            for (; j < end; j++) {
                s += weights[j] * input[(cols[j] - params.first_col) * vectors + v];
            }
            finish(to, s, last);
        }
    }
}
