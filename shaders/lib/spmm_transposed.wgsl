// Transposed SpMM: like spmm, gathered in the transposed order. A kernel's `before` says what a sum is added to, and
// its `finish` stores a sum that may be its column's last part; needs its params and bindings.
#import grid
#import part

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1 or 4
override UNROLL: u32 = 4u; // 4 or 8

const TILE = 32u;

@compute @workgroup_size(LANES, ROWS)
fn ENTRY(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = flat_group(group, groups) * ROWS + local.y;
    let tile = index / params.cols;
    let unit = index - tile * params.cols;
    let vectors = params.vectors;
    let first = tile * TILE;
    if first >= vectors {
        return;
    }
    let col_begin = col_offsets[params.first_col + unit];
    let col_end = col_offsets[params.first_col + unit + 1u];
    // This piece's connections; none if an earlier piece has finished the column.
    let begin = min(col_begin + part.begin, col_end);
    let end = min(col_begin + part.end, col_end);
    if part.begin > 0u && begin == col_end {
        return;
    }
    let last = end == col_end;

    if VECTORS == 4u && first + 4u * LANES <= vectors {
        let v = first + local.x;
        let to = unit * vectors + v;
        var s0 = before(to);
        var s1 = before(to + LANES);
        var s2 = before(to + 2u * LANES);
        var s3 = before(to + 3u * LANES);
        for (var j = begin; j < end; j++) {
            let w = weights[order[j]];
            let at = (order_rows[j] - params.first_row) * vectors + v;
            s0 += w * delta[at];
            s1 += w * delta[at + LANES];
            s2 += w * delta[at + 2u * LANES];
            s3 += w * delta[at + 3u * LANES];
        }
        finish(to, s0, last);
        finish(to + LANES, s1, last);
        finish(to + 2u * LANES, s2, last);
        finish(to + 3u * LANES, s3, last);
    } else {
        for (var v = first + local.x; v < min(first + TILE, vectors); v += LANES) {
            let to = unit * vectors + v;
            var s = before(to);
            // On hardware, four or eight loads are in flight at a time, added up in the column's order.
            var j = begin;
            if VECTORS == 1u && UNROLL == 8u {
                for (; j + 7u < end; j += 8u) {
                    let near_rows = vec4(order_rows[j], order_rows[j + 1u], order_rows[j + 2u], order_rows[j + 3u]);
                    let far_rows = vec4(order_rows[j + 4u], order_rows[j + 5u], order_rows[j + 6u], order_rows[j + 7u]);
                    let near = (near_rows - params.first_row) * vectors + v;
                    let far = (far_rows - params.first_row) * vectors + v;
                    let w0 = weights[order[j]];
                    let w1 = weights[order[j + 1u]];
                    let w2 = weights[order[j + 2u]];
                    let w3 = weights[order[j + 3u]];
                    let w4 = weights[order[j + 4u]];
                    let w5 = weights[order[j + 5u]];
                    let w6 = weights[order[j + 6u]];
                    let w7 = weights[order[j + 7u]];
                    let x0 = delta[near.x];
                    let x1 = delta[near.y];
                    let x2 = delta[near.z];
                    let x3 = delta[near.w];
                    let x4 = delta[far.x];
                    let x5 = delta[far.y];
                    let x6 = delta[far.z];
                    let x7 = delta[far.w];
                    s += w0 * x0;
                    s += w1 * x1;
                    s += w2 * x2;
                    s += w3 * x3;
                    s += w4 * x4;
                    s += w5 * x5;
                    s += w6 * x6;
                    s += w7 * x7;
                }
            }
            for (; VECTORS == 1u && j + 3u < end; j += 4u) {
                let rows = vec4(order_rows[j], order_rows[j + 1u], order_rows[j + 2u], order_rows[j + 3u]);
                let at = (rows - params.first_row) * vectors + v;
                let w0 = weights[order[j]];
                let w1 = weights[order[j + 1u]];
                let w2 = weights[order[j + 2u]];
                let w3 = weights[order[j + 3u]];
                let x0 = delta[at.x];
                let x1 = delta[at.y];
                let x2 = delta[at.z];
                let x3 = delta[at.w];
                s += w0 * x0;
                s += w1 * x1;
                s += w2 * x2;
                s += w3 * x3;
            }
            for (; j < end; j++) {
                s += weights[order[j]] * delta[(order_rows[j] - params.first_row) * vectors + v];
            }
            finish(to, s, last);
        }
    }
}
