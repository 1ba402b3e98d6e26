// Batch norm backward, first part: each tile's sums of the gradient dz, and of dz times the normalised input. One
// workgroup per tile.
#import grid
#import step
#import norm_sums

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: four loads under way at once

struct Params {
    channels: u32,
    positions: u32,
    vectors: u32,
    tile: u32, // positions
    tiles: u32, // of a plane
    weight: u32, // where the channels' weights start
    bias: u32,
    mask: u32, // the ReLU's: 0 none, 1 from the input, 2 from the activation
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(3) var<storage, read> delta: array<vec4<f32>>; // as input
@group(0) @binding(4) var<storage, read> activation: array<vec4<f32>>; // as input
@group(0) @binding(5) var<storage, read> saved: array<f32>; // [2][channels]: mean, 1 / standard deviation
@group(0) @binding(6) var<storage, read> values: array<f32>;
@group(0) @binding(7) var<storage, read_write> parts: array<f32>; // [channels][tiles][2]

@compute @workgroup_size(LANES, ROWS)
fn batch_norm_sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let item = flat_group(group, groups);
    if item >= params.channels * params.tiles {
        return;
    }
    let c = item / params.tiles;
    let first = (item % params.tiles) * params.tile;
    let rows = min(params.tile, params.positions - first);
    let base = (c * params.positions + first) * params.vectors;
    let inverse = saved[params.channels + c];
    let channel = channel_of(saved[c], inverse, values[params.weight + c], values[params.bias + c]);
    let both = tile_sums(base, rows, local, channel);
    if local.x == 0u && local.y == 0u {
        parts[2u * item] = both.x;
        parts[2u * item + 1u] = both.y;
    }
}
