// Weight gradients of a full layer: a workgroup writes a tile of 4 rows by 16 columns. There are two shapes, chosen by
// the adapter. Hardware lays its lanes over the positions and the batch, so that loads are coalesced; each row of
// invocations holds 4 by 4 sums, which are added up through workgroup memory. A software adapter lays its lanes over
// the columns, two per lane, because barriers are expensive there.
#import grid
#import window
#import part
#import tile
#import unfixed

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: lanes over the batch; 4: lanes over the columns

const TILE_ROWS = 4u;
const TILE_COLS = 16u;
// Pitch of a sum's parts: one more than the lanes, to keep the banks of workgroup memory apart.
const PITCH = 33u;

struct Params {
    window: Window,
    rows: u32,
    cols: u32,
    vectors: u32,
    first_weight: u32,
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [rows][output_y][output_x][vectors]
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // [N]: the layer's [rows][cols]

var<workgroup> partial: array<f32, 2112>; // TILE_ROWS * TILE_COLS * PITCH

// What a column sees from output position (0, 0); below zero wraps to more than any plane has.
struct Source {
    plane: u32, // first row of its channel's plane
    y: u32,
    x: u32,
}

fn source_of(col: u32) -> Source {
    // Columns past the last are summed like it, and not written.
    let number = min(col, params.cols - 1u);
    let taps = params.window.taps;
    let channel = number / taps;
    let tap = number - channel * taps;
    let y = tap / params.window.kernel_x;
    return Source(
        channel * params.window.input_y,
        y - params.window.padding_y,
        tap - y * params.window.kernel_x - params.window.padding_x,
    );
}

// Vector `v` of what a column sees from the output position that is `by` input positions away.
fn seen(source: Source, by: vec2<u32>, v: u32) -> vec4<f32> {
    let y = source.y + by.y;
    let x = source.x + by.x;
    if y >= params.window.input_y || x >= params.window.input_x {
        return vec4(0.0);
    }
    return input[((source.plane + y) * params.window.input_x + x) * params.vectors + v];
}

fn write(row: u32, col: u32, sum: f32) {
    if row >= params.rows || col >= params.cols {
        return;
    }
    let at = params.first_weight + row * params.cols + col;
    // Each piece has some rows of positions or vectors, and adds to the one before.
    let add = params.accumulate != 0u || part.begin_y > 0u || part.begin > 0u;
    output[at] = select(0.0, output[at], add) + sum;
}

fn across(sum: vec4<f32>) -> f32 {
    return (sum.x + sum.y) + (sum.z + sum.w);
}

fn lanes_over_batch(row: u32, col: u32, local: vec2<u32>) {
    let vectors = params.vectors;
    let plane = params.window.output_y * params.window.output_x * vectors;
    let last = params.rows - 1u;
    let d0 = row * plane;
    let d1 = min(row + 1u, last) * plane;
    let d2 = min(row + 2u, last) * plane;
    let d3 = min(row + 3u, last) * plane;
    let c0 = source_of(col + 4u * local.y);
    let c1 = source_of(col + 4u * local.y + 1u);
    let c2 = source_of(col + 4u * local.y + 2u);
    let c3 = source_of(col + 4u * local.y + 3u);
    var tile: Tile;
    let line = params.window.output_x * vectors;
    // Either range may be a part: vectors are divided if there is only one position.
    let end = part.end_y * line - (vectors - part.end);
    var by = vec2(0u, part.begin_y * params.window.stride_y);
    var x = 0u;
    var v = part.begin + local.x;
    for (var item = part.begin_y * line + v; item < end; item += LANES) {
        while v >= vectors {
            v -= vectors;
            x++;
            by.x += params.window.stride_x;
            if x == params.window.output_x {
                x = 0u;
                by = vec2(0u, by.y + params.window.stride_y);
            }
        }
        add_products(
            &tile,
            delta[d0 + item],
            delta[d1 + item],
            delta[d2 + item],
            delta[d3 + item],
            seen(c0, by, v),
            seen(c1, by, v),
            seen(c2, by, v),
            seen(c3, by, v),
        );
        v += LANES;
    }
    for (var i = 0u; i < 16u; i++) {
        let number = i / 4u * TILE_COLS + 4u * local.y + i % 4u;
        partial[number * PITCH + local.x] = across(tile[i]);
    }
    workgroupBarrier();
    for (var number = local.y * LANES + local.x; number < TILE_ROWS * TILE_COLS; number += LANES * ROWS) {
        var sum = 0.0;
        for (var lane = 0u; lane < LANES; lane++) {
            sum += partial[number * PITCH + lane];
        }
        write(row + number / TILE_COLS, col + number % TILE_COLS, sum);
    }
}

fn lanes_over_columns(row: u32, col: u32, lane: u32) {
    let vectors = params.vectors;
    let plane = params.window.output_y * params.window.output_x * vectors;
    let last = params.rows - 1u;
    let d0 = row * plane;
    let d1 = min(row + 1u, last) * plane;
    let d2 = min(row + 2u, last) * plane;
    let d3 = min(row + 3u, last) * plane;
    let a = source_of(col + lane);
    let b = source_of(col + lane + LANES);
    var a0 = vec4(0.0);
    var a1 = vec4(0.0);
    var a2 = vec4(0.0);
    var a3 = vec4(0.0);
    var b0 = vec4(0.0);
    var b1 = vec4(0.0);
    var b2 = vec4(0.0);
    var b3 = vec4(0.0);
    let end_y = unfixed(part.end_y, arrayLength(&delta));
    let end = unfixed(part.end, arrayLength(&delta));
    let output_x = unfixed(params.window.output_x, arrayLength(&delta));
    var item = part.begin_y * output_x * vectors + part.begin;
    for (var y = part.begin_y; y < end_y; y++) {
        for (var x = 0u; x < output_x; x++) {
            let by = vec2(x * params.window.stride_x, y * params.window.stride_y);
            let ay = a.y + by.y;
            let ax = a.x + by.x;
            let inside_a = ay < params.window.input_y && ax < params.window.input_x;
            let at_a = select(0u, ((a.plane + ay) * params.window.input_x + ax) * vectors, inside_a);
            let b_y = b.y + by.y;
            let b_x = b.x + by.x;
            let inside_b = b_y < params.window.input_y && b_x < params.window.input_x;
            let at_b = select(0u, ((b.plane + b_y) * params.window.input_x + b_x) * vectors, inside_b);
            for (var v = part.begin; v < end; v++) {
                let value_a = select(vec4(0.0), input[at_a + v], inside_a);
                let value_b = select(vec4(0.0), input[at_b + v], inside_b);
                let e0 = delta[d0 + item];
                let e1 = delta[d1 + item];
                let e2 = delta[d2 + item];
                let e3 = delta[d3 + item];
                a0 += e0 * value_a;
                a1 += e1 * value_a;
                a2 += e2 * value_a;
                a3 += e3 * value_a;
                b0 += e0 * value_b;
                b1 += e1 * value_b;
                b2 += e2 * value_b;
                b3 += e3 * value_b;
                item++;
            }
            item += vectors - (part.end - part.begin);
        }
    }
    write(row, col + lane, across(a0));
    write(row + 1u, col + lane, across(a1));
    write(row + 2u, col + lane, across(a2));
    write(row + 3u, col + lane, across(a3));
    write(row, col + lane + LANES, across(b0));
    write(row + 1u, col + lane + LANES, across(b1));
    write(row + 2u, col + lane + LANES, across(b2));
    write(row + 3u, col + lane + LANES, across(b3));
}

@compute @workgroup_size(LANES, ROWS)
fn gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = flat_group(group, groups);
    let tiles = (params.rows + TILE_ROWS - 1u) / TILE_ROWS;
    let block = index / tiles;
    let row = (index - block * tiles) * TILE_ROWS;
    let col = block * TILE_COLS;
    if col >= params.cols {
        return;
    }
    if VECTORS == 1u {
        lanes_over_batch(row, col, local.xy);
    } else {
        lanes_over_columns(row, col, local.x);
    }
}
