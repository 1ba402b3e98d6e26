// Sparse convolution. An item is a tile of four neighbouring positions of a row, for one vec4 of the batch; a line is
// 32 items, over the lanes of one row of a workgroup. The weight and the tap are the same for all of a line's lanes,
// and for the four positions that a lane holds in registers. Neighbouring lines are of the same positions in different
// channels.
#import grid
#import part
#import tap
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

fn finish(sum: vec4<f32>, relu: bool) -> vec4<f32> {
    // A NaN stays a NaN, so that a diverged run shows.
    return select(sum, vec4(0.0), (sum < vec4(0.0)) & vec4(relu));
}

@compute @workgroup_size(LANES, ROWS)
fn conv(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = flat_group(group, groups) * ROWS + local.y;
    let line = index / params.rows;
    if line >= params.lines {
        return;
    }
    let unit = index - line * params.rows;
    let row = params.first_row + unit;
    let row_begin = row_offsets[row];
    let row_end = row_offsets[row + 1u];
    // This piece's connections. Those of a row that an earlier one has ended are none.
    let begin = min(row_begin + part.begin, row_end);
    let end = min(row_begin + part.end, row_end);
    if part.begin > 0u && begin == row_end {
        return;
    }
    let relu = params.relu != 0u && end == row_end;
    let initial = vec4(bias[row]);
    let vectors = params.vectors;
    let size_y = params.window.input_y;
    let size_x = params.window.input_x;
    let tiles_x = (params.window.output_x + TILE - 1u) / TILE;
    let tiles = params.window.output_y * tiles_x;

    for (var item = line * LINE + local.x; item < (line + 1u) * LINE; item += LANES) {
        let tile = item / vectors;
        if tile >= tiles {
            return;
        }
        let v = item - tile * vectors;
        let y = tile / tiles_x;
        let x = (tile - y * tiles_x) * TILE;
        // The input position of tap (0, 0): below zero in the padding, which wraps to more than any plane has.
        let iy = y * params.window.stride_y - params.window.padding_y;
        let ix = x * params.window.stride_x - params.window.padding_x;
        let base = (iy * size_x + ix) * vectors + v;
        let step = params.window.stride_x * vectors;
        var s0 = initial;
        var s1 = initial;
        var s2 = initial;
        var s3 = initial;
        let to = ((unit * params.window.output_y + y) * params.window.output_x + x) * vectors + v;
        let held = min(TILE, params.window.output_x - x);
        if part.begin > 0u {
            s0 = output[to];
            if held > 1u {
                s1 = output[to + vectors];
            }
            if held > 2u {
                s2 = output[to + 2u * vectors];
            }
            if held > 3u {
                s3 = output[to + 3u * vectors];
            }
        }
        let last_x = ix + (TILE - 1u) * params.window.stride_x + params.window.kernel_x - 1u;
        if iy < size_y && iy + params.window.kernel_y <= size_y && ix < size_x && last_x < size_x {
            for (var j = begin; j < end; j++) {
                let w = weights[j];
                let tap = tap_of(cols[j] - params.first_col);
                let at = ((tap.channel * size_y + tap.y) * size_x + tap.x) * vectors + base;
                s0 += w * input[at];
                s1 += w * input[at + step];
                s2 += w * input[at + 2u * step];
                s3 += w * input[at + 3u * step];
            }
        } else if VECTORS == 1u {
            for (var j = begin; j < end; j++) {
                let w = weights[j];
                let tap = tap_of(cols[j] - params.first_col);
                let ty = iy + tap.y;
                let tx = ix + tap.x + vec4(0u, 1u, 2u, 3u) * params.window.stride_x;
                let inside = (tx < vec4(size_x)) & vec4(ty < size_y);
                let line = (tap.channel * size_y + min(ty, size_y - 1u)) * size_x;
                let at = (line + min(tx, vec4(size_x - 1u))) * vectors + v;
                let x0 = input[at.x];
                let x1 = input[at.y];
                let x2 = input[at.z];
                let x3 = input[at.w];
                s0 = select(s0, s0 + w * x0, inside.x);
                s1 = select(s1, s1 + w * x1, inside.y);
                s2 = select(s2, s2 + w * x2, inside.z);
                s3 = select(s3, s3 + w * x3, inside.w);
            }
        } else {
            for (var j = begin; j < end; j++) {
                let tap = tap_of(cols[j] - params.first_col);
                if iy + tap.y < size_y {
                    let w = weights[j];
                    let at = ((tap.channel * size_y + tap.y) * size_x + tap.x) * vectors + base;
                    let tx = ix + tap.x;
                    if tx < size_x {
                        s0 += w * input[at];
                    }
                    if tx + params.window.stride_x < size_x {
                        s1 += w * input[at + step];
                    }
                    if tx + 2u * params.window.stride_x < size_x {
                        s2 += w * input[at + 2u * step];
                    }
                    if tx + 3u * params.window.stride_x < size_x {
                        s3 += w * input[at + 3u * step];
                    }
                }
            }
        }
        output[to] = finish(s0, relu);
        if held > 1u {
            output[to + vectors] = finish(s1, relu);
        }
        if held > 2u {
            output[to + 2u * vectors] = finish(s2, relu);
        }
        if held > 3u {
            output[to + 3u * vectors] = finish(s3, relu);
        }
    }
}
