// Sparse convolution. An item is a tile of four neighbouring positions of a row, for one vec4 of the batch; a line is
// 32 items, over the lanes of one row of a workgroup. The weight and the tap are the same for all of a line's lanes,
// and for the four positions that a lane holds in registers. There are two shapes, chosen by the adapter: hardware
// lists a channel's connections in workgroup memory, for as many of its lines as a workgroup has rows; a software
// adapter, for which barriers are expensive, reads them one by one, and has neighbouring lines of the same positions in
// different channels.
#import grid
#import part
#import conv_forward

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override UNROLL: u32 = 4u; // 4 or 8: two or four connections at a time
override VECTORS: u32 = 4u; // 1: connections are listed; 4: read one by one

const LINE = 32u;

struct Params {
    window: Window,
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    relu: u32,
    lines: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(4) var<storage, read> bias: array<f32>; // [R]
@group(0) @binding(5) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>; // [rows][output_y][output_x][vectors]

fn list_one(i: u32, j: u32, first_col: u32) {
    list[i] = listed(j, first_col);
}

fn through(x: Four, j: u32) -> Four {
    return x;
}

// The initial values of a tile's sums: a piece continues from the previous one.
fn before(on: On, initial: f32) -> Four {
    var sum = Four(vec4(initial), vec4(initial), vec4(initial), vec4(initial));
    if part.begin > 0u {
        sum.a = output[on.to];
        if on.held > 1u {
            sum.b = output[on.to + params.vectors];
        }
        if on.held > 2u {
            sum.c = output[on.to + 2u * params.vectors];
        }
        if on.held > 3u {
            sum.d = output[on.to + 3u * params.vectors];
        }
    }
    return sum;
}

fn finish(sum: vec4<f32>, relu: bool) -> vec4<f32> {
    // A NaN stays NaN, so that a diverged run is visible.
    return select(sum, vec4(0.0), (sum < vec4(0.0)) & vec4(relu));
}

fn put(on: On, sum: Four, relu: bool) {
    output[on.to] = finish(sum.a, relu);
    if on.held > 1u {
        output[on.to + params.vectors] = finish(sum.b, relu);
    }
    if on.held > 2u {
        output[on.to + 2u * params.vectors] = finish(sum.c, relu);
    }
    if on.held > 3u {
        output[on.to + 3u * params.vectors] = finish(sum.d, relu);
    }
}

// A unit's connections in this piece. If an earlier piece has finished the unit, there are none.
struct Share {
    begin: u32,
    end: u32,
    ended: bool,
    relu: bool,
    initial: f32,
}

fn share_of(unit: u32) -> Share {
    let row = params.first_row + unit;
    let row_begin = row_offsets[row];
    let row_end = row_offsets[row + 1u];
    let begin = min(row_begin + part.begin, row_end);
    let end = min(row_begin + part.end, row_end);
    return Share(
        begin,
        end,
        part.begin > 0u && begin == row_end,
        params.relu != 0u && end == row_end,
        bias[row],
    );
}

fn over_list(group: u32, local: vec3<u32>) {
    let unit = group % params.rows;
    let first_line = group / params.rows * ROWS;
    if first_line >= params.lines {
        return;
    }
    let share = share_of(unit);
    if share.ended {
        return;
    }
    let tiles = params.window.output_y * ((params.window.output_x + TILE - 1u) / TILE);
    for (var round = 0u; round < LINE; round += LANES) {
        let item = (first_line + local.y) * LINE + round + local.x;
        let tile = item / params.vectors;
        let on = on_tile(unit, tile, item - tile * params.vectors);
        var sum = Four();
        if tile < tiles {
            sum = before(on, share.initial);
        }
        for (var first = share.begin; first < share.end; first += LISTED) {
            let count = min(LISTED, share.end - first);
            if round == 0u || share.end - share.begin > LISTED {
                list_connections(first, count, params.first_col, local.y * LANES + local.x);
            }
            if tile < tiles {
                if on.inside {
                    sum = plus_inside(sum, count, on);
                } else {
                    sum = plus_border(sum, count, on);
                }
            }
        }
        if tile < tiles {
            put(on, sum, share.relu);
        }
    }
}

fn one_by_one(index: u32, lane: u32) {
    let line = index / params.rows;
    if line >= params.lines {
        return;
    }
    let unit = index - line * params.rows;
    let share = share_of(unit);
    if share.ended {
        return;
    }
    let vectors = params.vectors;
    let size_y = params.window.input_y;
    let size_x = params.window.input_x;
    let tiles = params.window.output_y * ((params.window.output_x + TILE - 1u) / TILE);

    for (var item = line * LINE + lane; item < (line + 1u) * LINE; item += LANES) {
        let tile = item / vectors;
        if tile >= tiles {
            return;
        }
        let on = on_tile(unit, tile, item - tile * vectors);
        let initial = before(on, share.initial);
        var s0 = initial.a;
        var s1 = initial.b;
        var s2 = initial.c;
        var s3 = initial.d;
        if on.inside {
            for (var j = share.begin; j < share.end; j++) {
                let w = weights[j];
                let tap = tap_of(cols[j] - params.first_col);
                let at = ((tap.channel * size_y + tap.y) * size_x + tap.x) * vectors + on.base;
                s0 += w * input[at];
                s1 += w * input[at + on.step];
                s2 += w * input[at + 2u * on.step];
                s3 += w * input[at + 3u * on.step];
            }
        } else {
            for (var j = share.begin; j < share.end; j++) {
                let tap = tap_of(cols[j] - params.first_col);
                if on.y + tap.y < size_y {
                    let w = weights[j];
                    let at = ((tap.channel * size_y + tap.y) * size_x + tap.x) * vectors + on.base;
                    let tx = on.x + tap.x;
                    if tx < size_x {
                        s0 += w * input[at];
                    }
                    if tx + params.window.stride_x < size_x {
                        s1 += w * input[at + on.step];
                    }
                    if tx + 2u * params.window.stride_x < size_x {
                        s2 += w * input[at + 2u * on.step];
                    }
                    if tx + 3u * params.window.stride_x < size_x {
                        s3 += w * input[at + 3u * on.step];
                    }
                }
            }
        }
        put(on, Four(s0, s1, s2, s3), share.relu);
    }
}

@compute @workgroup_size(LANES, ROWS)
fn conv(
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
