// Batch norm's gradients and its backward pass in one, for adapters on which a dispatch costs more than repeating the
// sums in each of a channel's workgroups. One workgroup per tile of a channel's plane.
#import grid
#import step
#import norm_add_up
#import norm_backward
#import norm_gradient
#import norm_saved

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: four loads under way at once

struct Params {
    channels: u32,
    positions: u32,
    vectors: u32,
    sum_tiles: u32, // of a plane
    tile: u32, // positions
    tiles: u32, // of a plane
    weight: u32, // where the channels' weights start
    bias: u32,
    mask: u32, // the ReLU's: 0 none, 1 from the input, 2 from the activation
    residual_mode: u32, // 0: leave residual alone, 1: write it, 2: add to it
    accumulate: u32, // 1: add to the gradients that are there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> parts: array<f32>; // [channels][sum_tiles][2]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(4) var<storage, read> delta: array<vec4<f32>>; // as input
@group(0) @binding(5) var<storage, read> activation: array<vec4<f32>>; // as input
@group(0) @binding(6) var<storage, read> saved: array<f32>; // [4][channels]: mean, 1 / standard deviation, weight, bias
@group(0) @binding(7) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(8) var<storage, read_write> output: array<vec4<f32>>; // as input
@group(0) @binding(9) var<storage, read_write> residual: array<vec4<f32>>; // as input

@compute @workgroup_size(LANES, ROWS)
fn batch_norm_merge_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let item = flat_group(group, groups);
    if item >= params.channels * params.tiles {
        return;
    }
    let c = item / params.tiles;
    let tile = item % params.tiles;
    let sum = add_up(c, params.sum_tiles);
    if tile == 0u && local.x == 0u && local.y == 0u {
        put_gradients(c, sum);
    }
    let first = tile * params.tile;
    let rows = min(params.tile, params.positions - first);
    let base = (c * params.positions + first) * params.vectors;
    backward_tile(base, rows, local, saved_channel(c), sum / f32(params.positions * step.count));
}
