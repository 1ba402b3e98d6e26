// Batch norm's merge and apply in one, for adapters on which a dispatch costs more than repeating the merge in each of
// a channel's workgroups. One workgroup per tile of a channel's plane.
#import grid
#import step
#import norm_apply
#import norm_keep_parameters
#import norm_keep_statistics
#import norm_merge
#import norm_merge_parts
#import norm_params

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: four loads under way at once

struct Params {
    norm: Norm,
    sum_tile: u32, // positions; 0: parts that say how many members they have
    sum_tiles: u32, // of a plane
    tile: u32, // positions
    tiles: u32, // of a plane
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> parts: array<f32>; // [channels][sum_tiles][2 or 3]: (members,) mean, squares
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(4) var<storage, read> residual: array<vec4<f32>>; // as input
@group(0) @binding(5) var<storage, read> values: array<f32>;
@group(0) @binding(6) var<storage, read_write> running: array<f32>;
// `saved` is [4][channels]: mean, 1 / standard deviation, weight, bias.
@group(0) @binding(7) var<storage, read_write> saved: array<f32>;
@group(0) @binding(8) var<storage, read_write> output: array<vec4<f32>>; // as input

@compute @workgroup_size(LANES, ROWS)
fn batch_norm_merge_apply(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let item = flat_group(group, groups);
    if item >= params.norm.channels * params.tiles {
        return;
    }
    let c = item / params.tiles;
    let tile = item % params.tiles;
    var merged: Merged;
    if params.sum_tile == 0u {
        merged = merge_parts(c, params.sum_tiles);
    } else {
        merged = merge(c, params.sum_tile, params.sum_tiles);
    }
    if tile == 0u && local.x == 0u && local.y == 0u {
        keep_statistics(c, merged.n, merged.mean, merged.squares);
        keep_parameters(c);
    }
    let first = tile * params.tile;
    let rows = min(params.tile, params.norm.positions - first);
    let base = (c * params.norm.positions + first) * params.norm.vectors;
    let scale = inverse_deviation(merged.n, merged.squares) * values[params.norm.weight + c];
    apply_tile(base, rows, local, merged.mean, scale, values[params.norm.bias + c]);
}
