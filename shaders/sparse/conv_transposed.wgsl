// The input gradient of the sparse convolution: as conv, gathered in the transposed order. The four positions of a tile
// lie stride_x apart, so that they gather from neighbours in delta, through the same taps. Hardware lists a channel's
// connections of all taps in workgroup memory, and goes through them in one loop; a software adapter goes tap by tap.
#import grid
#import part
#import divide
#import window
#import conv_list

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: connections are listed; 4: read one by one, a tap at a time

const LINE = 32u;
const TILE = 4u;

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

// By connection of the list: its tap's remainders by the strides, as one number. Only where there are strides.
var<workgroup> remainders: array<u32, 128>; // LISTED

// An item's tile.
struct On {
    v: u32,
    // The position of delta that the first tap with this remainder sees, and the remainder.
    y: u32,
    x: u32,
    remainder: u32,
    first_y: u32,
    first_x: u32,
    // There, in words.
    base: u32,
    // The first output, from one of the tile's positions to the next, and how many of the four there are: maybe none.
    to: u32,
    step: u32,
    held: u32,
}

fn on_tile(channel: u32, tile: u32, v: u32) -> On {
    let stride_y = params.window.stride_y;
    let stride_x = params.window.stride_x;
    let tiles_x = stride_x * params.tiles;
    let y = tile / tiles_x;
    // Positions x, x + stride_x, ...: those that leave the same remainder are one part of the row.
    var number = tile - y * tiles_x;
    var x = 0u;
    while number >= params.tiles {
        number -= params.tiles;
        x++;
    }
    x += number * TILE * stride_x;
    let oy = divide(y + params.window.padding_y, params.window.inverse_stride_y);
    let ox = divide(x + params.window.padding_x, params.window.inverse_stride_x);
    let first_y = y + params.window.padding_y - oy * stride_y;
    let first_x = x + params.window.padding_x - ox * stride_x;
    // Of a row's last part there may be nothing.
    let left = max(params.window.input_x, x) - x;
    return On(
        v,
        oy,
        ox,
        first_y * stride_x + first_x,
        first_y,
        first_x,
        (oy * params.window.output_x + ox) * params.vectors + v,
        ((channel * params.window.input_y + y) * params.window.input_x + x) * params.vectors + v,
        stride_x * params.vectors,
        min(TILE, divide(left + stride_x - 1u, params.window.inverse_stride_x)),
    );
}

// What a sum is added to; each piece goes on from the one before.
fn before(on: On) -> Four {
    var sum = Four();
    if params.accumulate == 0u && part.begin == 0u {
        return sum;
    }
    sum.a = output[on.to];
    if on.held > 1u {
        sum.b = output[on.to + on.step];
    }
    if on.held > 2u {
        sum.c = output[on.to + 2u * on.step];
    }
    if on.held > 3u {
        sum.d = output[on.to + 3u * on.step];
    }
    return sum;
}

fn put(on: On, sum: Four) {
    output[on.to] = sum.a;
    if on.held > 1u {
        output[on.to + on.step] = sum.b;
    }
    if on.held > 2u {
        output[on.to + 2u * on.step] = sum.c;
    }
    if on.held > 3u {
        output[on.to + 3u * on.step] = sum.d;
    }
}

fn list_one(i: u32, j: u32, first_col: u32) {
    let place = order[j];
    let tap = cols[place] - first_col;
    let kernel_y = divide(tap, params.window.inverse_kernel_x);
    let kernel_x = tap - kernel_y * params.window.kernel_x;
    // From one output position to the next, taps a stride apart see the same of the input.
    let y = divide(kernel_y, params.window.inverse_stride_y);
    let x = divide(kernel_x, params.window.inverse_stride_x);
    let plane = params.window.output_y * params.window.output_x;
    let at = (order_rows[j] - params.first_row) * plane - y * params.window.output_x - x;
    list[i] = vec4(at * params.vectors, y, x, bitcast<u32>(weights[place]));
    if strided() {
        remainders[i] = (kernel_y - y * params.window.stride_y) * params.window.stride_x
            + kernel_x - x * params.window.stride_x;
    }
}

fn strided() -> bool {
    return params.window.stride_y > 1u || params.window.stride_x > 1u;
}

fn places(p: vec4<u32>, on: On) -> vec4<u32> {
    return vec4(p.x + on.base) + vec4(0u, 1u, 2u, 3u) * params.vectors;
}

// Positions of delta below zero wrap to more than any plane has.
fn sees(p: vec4<u32>, on: On) -> vec4<bool> {
    let x = vec4(on.x - p.z) + vec4(0u, 1u, 2u, 3u);
    return (x < vec4(params.window.output_x)) & vec4(on.y - p.y < params.window.output_y);
}

fn loaded(at: vec4<u32>) -> Four {
    return Four(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
}

// Where most taps see nothing of a position: those are passed over.
fn plus_strided(initial: Four, count: u32, on: On) -> Four {
    var sum = initial;
    for (var j = 0u; j < count; j++) {
        if remainders[j] == on.remainder {
            let p = list[j];
            let sees_p = sees(p, on);
            let x = loaded(select(vec4(on.v), places(p, on), sees_p));
            sum = plus_seen(sum, bitcast<f32>(p.w), x, sees_p);
        }
    }
    return sum;
}

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
        let inside = on.x + TILE <= params.window.output_x && on.x + 1u >= params.window.kernel_x
            && on.y < params.window.output_y && on.y + 1u >= params.window.kernel_y;
        var sum = Four();
        if present {
            sum = before(on);
        }
        for (var first = begin; first < end; first += LISTED) {
            let count = min(LISTED, end - first);
            if round == 0u || end - begin > LISTED {
                workgroupBarrier();
                for (var i = local.y * LANES + local.x; i < count; i += LANES * ROWS) {
                    list_one(i, first + i, first_col);
                }
                workgroupBarrier();
            }
            if present {
                if strided() {
                    sum = plus_strided(sum, count, on);
                } else if inside {
                    sum = plus_inside(sum, count, on);
                } else {
                    sum = plus_border(sum, count, on);
                }
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
        let initial = before(on);
        var s0 = initial.a;
        var s1 = initial.b;
        var s2 = initial.c;
        var s3 = initial.d;
        var oy = on.y;
        let inside = on.x + TILE <= size_x && on.x + 1u >= params.window.kernel_x;

        // Positions of delta below zero wrap to more than any plane has.
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
