// Batch norm's statistics, first half: mean and sum of squared differences of each channel's tiles. One workgroup per
// tile: its rows over local y, the batch over local x. The second pass finds the tile in the cache.
#import grid
#import step
#import norm_statistics

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: four loads under way at once

struct Params {
    channels: u32,
    positions: u32,
    vectors: u32,
    tile: u32, // positions
    tiles: u32, // of a plane
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(3) var<storage, read_write> parts: array<f32>; // [channels][tiles][2]

@compute @workgroup_size(LANES, ROWS)
fn batch_norm_statistics(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let item = flat_group(group, groups);
    if item >= params.channels * params.tiles {
        return;
    }
    let first = (item % params.tiles) * params.tile;
    let rows = min(params.tile, params.positions - first);
    let base = (item / params.tiles * params.positions + first) * params.vectors;
    let found = tile_statistics(base, rows, params.vectors, local);
    if local.x == 0u && local.y == 0u {
        parts[2u * item] = found.x;
        parts[2u * item + 1u] = found.y;
    }
}
