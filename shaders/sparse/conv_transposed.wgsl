// The input gradient of the sparse convolution: as conv, gathered in the transposed order, a kernel tap at a time. The
// four positions of a tile lie stride_x apart, so that they gather from neighbours in delta, through the same taps.
#import grid
#import part
#import divide
#import window

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
// Taps outside the plane. 1: on hardware the border is loaded in their place, and dropped; 4: branches around the loads.
override VECTORS: u32 = 4u;

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
@group(0) @binding(2) var<storage, read> order: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> order_rows: array<u32>; // [N]
@group(0) @binding(4) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(5) var<storage, read> delta: array<vec4<f32>>; // [rows][output_y][output_x][vectors]
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>; // [channels][input_y][input_x][vectors]

// What a sum is added to; each piece, which has some connections of every tap, goes on from the one before.
fn before(at: u32) -> vec4<f32> {
    if params.accumulate == 0u && part.begin == 0u {
        return vec4(0.0);
    }
    return output[at];
}

@compute @workgroup_size(LANES, ROWS)
fn conv_transposed(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = flat_group(group, groups) * ROWS + local.y;
    let line = index / params.window.channels;
    if line >= params.lines {
        return;
    }
    let channel = index - line * params.window.channels;
    let first_col = params.first_col + channel * params.window.taps;
    let vectors = params.vectors;
    let size_x = params.window.output_x;
    let plane = params.window.output_y * size_x;
    let tiles_x = params.window.stride_x * params.tiles;
    let tiles = params.window.input_y * tiles_x;

    for (var item = line * LINE + local.x; item < (line + 1u) * LINE; item += LANES) {
        let tile = item / vectors;
        if tile >= tiles {
            return;
        }
        let v = item - tile * vectors;
        let y = tile / tiles_x;
        // Positions x, x + stride_x, ...: those that leave the same remainder are one part of the row.
        var number = tile - y * tiles_x;
        var x = 0u;
        while number >= params.tiles {
            number -= params.tiles;
            x++;
        }
        x += number * TILE * params.window.stride_x;
        if x >= params.window.input_x {
            continue;
        }
        let held = min(TILE, (params.window.input_x - x - 1u) / params.window.stride_x + 1u);

        let to = ((channel * params.window.input_y + y) * params.window.input_x + x) * vectors + v;
        let step = params.window.stride_x * vectors;
        var s0 = before(to);
        var s1 = vec4(0.0);
        var s2 = vec4(0.0);
        var s3 = vec4(0.0);
        if held > 1u {
            s1 = before(to + step);
        }
        if held > 2u {
            s2 = before(to + 2u * step);
        }
        if held > 3u {
            s3 = before(to + 3u * step);
        }

        // The first taps that hit a position of delta, and which.
        var oy = divide(y + params.window.padding_y, params.window.inverse_stride_y);
        let first_y = y + params.window.padding_y - oy * params.window.stride_y;
        let first_ox = divide(x + params.window.padding_x, params.window.inverse_stride_x);
        let first_x = x + params.window.padding_x - first_ox * params.window.stride_x;
        let inside = first_ox + TILE <= size_x && first_ox + 1u >= params.window.kernel_x;

        // Positions of delta below zero wrap to more than any plane has.
        for (var ky = first_y; ky < params.window.kernel_y; ky += params.window.stride_y) {
            if oy < params.window.output_y {
                var ox = first_ox;
                for (var kx = first_x; kx < params.window.kernel_x; kx += params.window.stride_x) {
                    let col = first_col + ky * params.window.kernel_x + kx;
                    let col_begin = col_offsets[col];
                    let col_end = col_offsets[col + 1u];
                    let begin = min(col_begin + part.begin, col_end);
                    let end = min(col_begin + part.end, col_end);
                    let base = (oy * size_x + ox) * vectors + v;
                    if inside {
                        for (var j = begin; j < end; j++) {
                            let w = weights[order[j]];
                            let at = (order_rows[j] - params.first_row) * plane * vectors + base;
                            s0 += w * delta[at];
                            s1 += w * delta[at + vectors];
                            s2 += w * delta[at + 2u * vectors];
                            s3 += w * delta[at + 3u * vectors];
                        }
                    } else if VECTORS == 1u {
                        let tx = ox + vec4(0u, 1u, 2u, 3u);
                        let hit = tx < vec4(size_x);
                        let column = (oy * size_x + min(tx, vec4(size_x - 1u))) * vectors + v;
                        for (var j = begin; j < end; j++) {
                            let w = weights[order[j]];
                            let at = (order_rows[j] - params.first_row) * plane * vectors + column;
                            let x0 = delta[at.x];
                            let x1 = delta[at.y];
                            let x2 = delta[at.z];
                            let x3 = delta[at.w];
                            s0 = select(s0, s0 + w * x0, hit.x);
                            s1 = select(s1, s1 + w * x1, hit.y);
                            s2 = select(s2, s2 + w * x2, hit.z);
                            s3 = select(s3, s3 + w * x3, hit.w);
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

        output[to] = s0;
        if held > 1u {
            output[to + step] = s1;
        }
        if held > 2u {
            output[to + 2u * step] = s2;
        }
        if held > 3u {
            output[to + 3u * step] = s3;
        }
    }
}
