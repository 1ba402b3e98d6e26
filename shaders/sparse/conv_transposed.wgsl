// The input gradient of the sparse convolution: like conv, gathered in the transposed order. Hardware lists a channel's
// connections of all taps in workgroup memory, and goes through them in one loop; a software adapter goes tap by tap.
#import grid
#import part
#import conv_transposed

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override UNROLL: u32 = 4u; // 4 or 8: two or four connections at a time
override VECTORS: u32 = 4u; // 1: connections are listed; 4: read one by one, a tap at a time

const LINE = 32u;

struct Params {
    window: Window,
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    accumulate: u32,
    tiles: u32,
    lines: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> col_offsets: array<u32>; // [C + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> order: array<u32>; // [N]
@group(0) @binding(4) var<storage, read> order_rows: array<u32>; // [N]
@group(0) @binding(5) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(6) var<storage, read> delta: array<vec4<f32>>; // [rows][output_y][output_x][vectors]
@group(0) @binding(7) var<storage, read_write> output: array<vec4<f32>>; // [channels][input_y][input_x][vectors]

fn over_list(group: u32, local: vec3<u32>) {
    let channel = group % params.window.channels;
    let first_line = group / params.window.channels * ROWS;
    if first_line >= params.lines {
        return;
    }
    let first_col = params.first_col + channel * params.window.taps;
    let all_begin = col_offsets[first_col];
    let all_end = col_offsets[first_col + params.window.taps];
    let begin = min(all_begin + part.begin, all_end);
    let end = min(all_begin + part.end, all_end);
    if part.begin > 0u && begin == all_end {
        return;
    }
    let tiles = params.window.input_y * params.window.stride_x * params.tiles;
    for (var round = 0u; round < LINE; round += LANES) {
        let item = (first_line + local.y) * LINE + round + local.x;
        let tile = item / params.vectors;
        let on = on_tile(channel, tile, item - tile * params.vectors);
        let present = tile < tiles && on.held > 0u;
        var sum = Four();
        if present {
            sum = before(on, params.accumulate != 0u || part.begin > 0u);
        }
        for (var first = begin; first < end; first += LISTED) {
            let count = min(LISTED, end - first);
            if round == 0u || end - begin > LISTED {
                list_connections(first, count, first_col, local.y * LANES + local.x);
            }
            if present {
                sum = plus_listed(sum, count, on);
            }
        }
        if present {
            put(on, sum);
        }
    }
}

fn one_by_one(index: u32, lane: u32) {
    let line = index / params.window.channels;
    if line >= params.lines {
        return;
    }
    let channel = index - line * params.window.channels;
    let first_col = params.first_col + channel * params.window.taps;
    let vectors = params.vectors;
    let size_x = params.window.output_x;
    let plane = params.window.output_y * size_x;
    let tiles = params.window.input_y * params.window.stride_x * params.tiles;

    for (var item = line * LINE + lane; item < (line + 1u) * LINE; item += LANES) {
        let tile = item / vectors;
        if tile >= tiles {
            return;
        }
        let on = on_tile(channel, tile, item - tile * vectors);
        if on.held == 0u {
            continue;
        }
        let initial = before(on, params.accumulate != 0u || part.begin > 0u);
        var s0 = initial.a;
        var s1 = initial.b;
        var s2 = initial.c;
        var s3 = initial.d;
        var oy = on.y;
        let inside = on.x + TILE <= size_x && on.x + 1u >= params.window.kernel_x;

        // Positions of delta below zero wrap around to more than any plane has.
        for (var ky = on.first_y; ky < params.window.kernel_y; ky += params.window.stride_y) {
            if oy < params.window.output_y {
                var ox = on.x;
                for (var kx = on.first_x; kx < params.window.kernel_x; kx += params.window.stride_x) {
                    let col = first_col + ky * params.window.kernel_x + kx;
                    let col_begin = col_offsets[col];
                    let col_end = col_offsets[col + 1u];
                    let begin = min(col_begin + part.begin, col_end);
                    let end = min(col_begin + part.end, col_end);
                    let base = (oy * size_x + ox) * vectors + on.v;
                    if inside {
                        for (var j = begin; j < end; j++) {
                            let w = weights[order[j]];
                            let at = (order_rows[j] - params.first_row) * plane * vectors + base;
                            s0 += w * delta[at];
                            s1 += w * delta[at + vectors];
                            s2 += w * delta[at + 2u * vectors];
                            s3 += w * delta[at + 3u * vectors];
                        }
                    } else {
                        for (var j = begin; j < end; j++) {
                            let w = weights[order[j]];
                            let at = (order_rows[j] - params.first_row) * plane * vectors + base;
                            if ox < size_x {
                                s0 += w * delta[at];
                            }
                            if ox + 1u < size_x {
                                s1 += w * delta[at + vectors];
                            }
                            if ox + 2u < size_x {
                                s2 += w * delta[at + 2u * vectors];
                            }
                            if ox + 3u < size_x {
                                s3 += w * delta[at + 3u * vectors];
                            }
                        }
                    }
                    ox--;
                }
            }
            oy--;
        }
        put(on, Four(s0, s1, s2, s3));
    }
}

@compute @workgroup_size(LANES, ROWS)
fn conv_transposed(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let flat = flat_group(group, groups);
    if VECTORS == 1u {
        over_list(flat, local);
    } else {
        one_by_one(flat * ROWS + local.y, local.x);
    }
}
