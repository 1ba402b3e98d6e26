// Batch norm backward, third part: the gradient at its input, and at the residual that was added to its output. One
// workgroup per tile of a channel's plane.
#import grid
#import step
#import norm_backward

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
    residual_mode: u32, // 0: leave residual alone, 1: write it, 2: add to it
    fixed: u32, // 1: mean and deviation do not depend on the batch, and sums is not read
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(3) var<storage, read> delta: array<vec4<f32>>; // as input
@group(0) @binding(4) var<storage, read> activation: array<vec4<f32>>; // as input
@group(0) @binding(5) var<storage, read> saved: array<f32>; // [2][channels]: mean, 1 / standard deviation
@group(0) @binding(6) var<storage, read> values: array<f32>;
@group(0) @binding(7) var<storage, read> sums: array<f32>; // [2][channels]: of dz, of dz * normalised input
@group(0) @binding(8) var<storage, read_write> output: array<vec4<f32>>; // as input
@group(0) @binding(9) var<storage, read_write> residual: array<vec4<f32>>; // as input

@compute @workgroup_size(LANES, ROWS)
fn batch_norm_backward(
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
    let n = f32(params.positions * step.count);
    let inverse = saved[params.channels + c];
    let channel = channel_of(saved[c], inverse, values[params.weight + c], values[params.bias + c]);
    var means = vec2(0.0);
    if params.fixed == 0u {
        means = vec2(sums[c], sums[params.channels + c]) / n;
    }
    backward_tile(base, rows, local, channel, means);
}
