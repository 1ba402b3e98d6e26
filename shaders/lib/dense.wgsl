// The product of a full layer's weights with what positions see through a window: sum over taps and units of weight *
// source.
//
// A workgroup of the hardware shape writes a tile of 32 rows by 32 vectors of lanes, 8 rows and one vector per
// invocation. Source and weights of 16 units at a time go through workgroup memory, so that one loaded vector serves 32
// rows. A workgroup of the software shape writes 8 of those rows, with four vectors per lane one after another, from
// registers, because barriers are expensive there.
//
// A piece has some of the units, and adds to what the earlier pieces wrote.
//
// The importing kernel has `params` with the fields named here and `weights`, and defines what is written and what is
// seen by these functions: `remainders`, `place_of`, `first_tap`, `tap_step`, `source_step`, `seen`, `source_at`,
// `store`.
#import grid
#import part
#import window

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: tiles of a workgroup; 4: of a lane

const TILE_ROWS = 32u;
const TILE_VECTORS = 32u;
const HELD_ROWS = 8u;
const DEPTH = 16u;

// A written vector.
struct Place {
    inside: bool, // whether it is written at all
    to: u32, // its number in the written plane
    v: u32, // its number in its position
    y: u32, // the position that it sees through the first tap; below zero wraps to more than any plane has
    x: u32,
}

// The index of a tile.
struct Tile {
    row: u32, // its first row
    remainder: u32,
    item: u32, // its first vector among the remainder's
}

var<workgroup> source_tile: array<vec4<f32>, 512>; // [DEPTH][TILE_VECTORS]
var<workgroup> weight_tile: array<vec4<f32>, 128>; // [DEPTH][TILE_ROWS / 4]

fn tile_of(index: u32) -> Tile {
    let tiles = (params.rows + TILE_ROWS - 1u) / TILE_ROWS;
    let rest = index / tiles;
    let remainder = rest / params.blocks;
    return Tile((index - rest * tiles) * TILE_ROWS, remainder, (rest - remainder * params.blocks) * TILE_VECTORS);
}

fn weight(row: u32, at: u32) -> f32 {
    // Rows past the last are summed like it, and not written.
    return weights[min(row, params.rows - 1u) * params.row_step + at];
}

fn product_by_workgroup(index: u32, local: vec2<u32>) {
    let tile = tile_of(index);
    if tile.remainder >= remainders() {
        return;
    }
    let place = place_of(tile.remainder, tile.item + local.x);
    let size = seen();
    let plane = size.x * size.y * params.vectors;
    // Neighbouring invocations load adjacent weights.
    let flat = local.y * TILE_VECTORS + local.x;
    var k_loaded = flat % DEPTH;
    var rows_loaded = flat / DEPTH;
    if params.row_step < params.unit_step {
        k_loaded = flat / (TILE_ROWS / 4u);
        rows_loaded = flat % (TILE_ROWS / 4u);
    }
    let row_loaded = tile.row + 4u * rows_loaded;
    var s0 = vec4(0.0);
    var s1 = vec4(0.0);
    var s2 = vec4(0.0);
    var s3 = vec4(0.0);
    var s4 = vec4(0.0);
    var s5 = vec4(0.0);
    var s6 = vec4(0.0);
    var s7 = vec4(0.0);
    let first = first_tap(tile.remainder);
    var y = place.y;
    for (var ky = first.y; ky < params.window.kernel_y; ky += tap_step().y) {
        var x = place.x;
        for (var kx = first.x; kx < params.window.kernel_x; kx += tap_step().x) {
            let sees = place.inside && y < size.y && x < size.x;
            let at = (y * size.x + x) * params.vectors + place.v;
            let w = params.first_weight + ky * params.window.kernel_x + kx;
            for (var unit = part.begin; unit < part.end; unit += DEPTH) {
                let count = min(DEPTH, part.end - unit);
                for (var k = local.y; k < count; k += 4u) {
                    var value = vec4(0.0);
                    if sees {
                        value = source_at(at + (unit + k) * plane);
                    }
                    source_tile[k * TILE_VECTORS + local.x] = value;
                }
                if k_loaded < count {
                    let base = w + (unit + k_loaded) * params.unit_step;
                    weight_tile[k_loaded * (TILE_ROWS / 4u) + rows_loaded] = vec4(
                        weight(row_loaded, base),
                        weight(row_loaded + 1u, base),
                        weight(row_loaded + 2u, base),
                        weight(row_loaded + 3u, base),
                    );
                }
                workgroupBarrier();
                for (var k = 0u; k < count; k++) {
                    let value = source_tile[k * TILE_VECTORS + local.x];
                    let a = weight_tile[k * (TILE_ROWS / 4u) + 2u * local.y];
                    let b = weight_tile[k * (TILE_ROWS / 4u) + 2u * local.y + 1u];
                    s0 += a.x * value;
                    s1 += a.y * value;
                    s2 += a.z * value;
                    s3 += a.w * value;
                    s4 += b.x * value;
                    s5 += b.y * value;
                    s6 += b.z * value;
                    s7 += b.w * value;
                }
                workgroupBarrier();
            }
            x += source_step();
        }
        y += source_step();
    }
    if place.inside {
        let row = tile.row + HELD_ROWS * local.y;
        store(row, place.to, s0);
        store(row + 1u, place.to, s1);
        store(row + 2u, place.to, s2);
        store(row + 3u, place.to, s3);
        store(row + 4u, place.to, s4);
        store(row + 5u, place.to, s5);
        store(row + 6u, place.to, s6);
        store(row + 7u, place.to, s7);
    }
}

fn product_by_lane(index: u32, lane: u32) {
    let tile = tile_of(index / 4u);
    let row = tile.row + HELD_ROWS * (index % 4u);
    if tile.remainder >= remainders() || row >= params.rows {
        return;
    }
    let size = seen();
    let plane = size.x * size.y * params.vectors;
    let first = first_tap(tile.remainder);
    // Rows past the last are summed like it, and not written.
    let last = params.rows - 1u;
    let w0 = row * params.row_step;
    let w1 = min(row + 1u, last) * params.row_step;
    let w2 = min(row + 2u, last) * params.row_step;
    let w3 = min(row + 3u, last) * params.row_step;
    let w4 = min(row + 4u, last) * params.row_step;
    let w5 = min(row + 5u, last) * params.row_step;
    let w6 = min(row + 6u, last) * params.row_step;
    let w7 = min(row + 7u, last) * params.row_step;
    for (var item = tile.item + lane; item < tile.item + TILE_VECTORS; item += LANES) {
        let place = place_of(tile.remainder, item);
        if !place.inside {
            continue;
        }
        var s0 = vec4(0.0);
        var s1 = vec4(0.0);
        var s2 = vec4(0.0);
        var s3 = vec4(0.0);
        var s4 = vec4(0.0);
        var s5 = vec4(0.0);
        var s6 = vec4(0.0);
        var s7 = vec4(0.0);
        var y = place.y;
        for (var ky = first.y; ky < params.window.kernel_y; ky += tap_step().y) {
            var x = place.x;
            for (var kx = first.x; kx < params.window.kernel_x; kx += tap_step().x) {
                if y < size.y && x < size.x {
                    var at = (y * size.x + x) * params.vectors + place.v + part.begin * plane;
                    var w = params.first_weight + ky * params.window.kernel_x + kx + part.begin * params.unit_step;
                    for (var unit = part.begin; unit < part.end; unit++) {
                        let value = source_at(at);
                        s0 += weights[w0 + w] * value;
                        s1 += weights[w1 + w] * value;
                        s2 += weights[w2 + w] * value;
                        s3 += weights[w3 + w] * value;
                        s4 += weights[w4 + w] * value;
                        s5 += weights[w5 + w] * value;
                        s6 += weights[w6 + w] * value;
                        s7 += weights[w7 + w] * value;
                        at += plane;
                        w += params.unit_step;
                    }
                }
                x += source_step();
            }
            y += source_step();
        }
        store(row, place.to, s0);
        store(row + 1u, place.to, s1);
        store(row + 2u, place.to, s2);
        store(row + 3u, place.to, s3);
        store(row + 4u, place.to, s4);
        store(row + 5u, place.to, s5);
        store(row + 6u, place.to, s6);
        store(row + 7u, place.to, s7);
    }
}

@compute @workgroup_size(LANES, ROWS)
fn ENTRY(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = flat_group(group, groups);
    if VECTORS == 1u {
        product_by_workgroup(index, local.xy);
    } else {
        product_by_lane(index, local.x);
    }
}
