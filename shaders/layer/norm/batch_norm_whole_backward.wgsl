// The backward pass of a batch norm of planes that are small enough for one workgroup each: sums, gradients, and the
// gradient at the input, which finds the plane in the cache.
#import grid
#import step
#import norm_backward
#import norm_gradient
#import norm_saved
#import norm_sums

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: four loads under way at once

struct Params {
    channels: u32,
    positions: u32,
    vectors: u32,
    weight: u32, // where the channels' weights start
    bias: u32,
    mask: u32, // the ReLU's: 0 none, 1 from the input, 2 from the activation
    residual_mode: u32, // 0: leave residual alone, 1: write it, 2: add to it
    accumulate: u32, // 1: add to the gradients that are there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(3) var<storage, read> delta: array<vec4<f32>>; // as input
@group(0) @binding(4) var<storage, read> activation: array<vec4<f32>>; // as input
@group(0) @binding(5) var<storage, read> saved: array<f32>; // [4][channels]: mean, 1 / standard deviation, weight, bias
@group(0) @binding(6) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(7) var<storage, read_write> output: array<vec4<f32>>; // as input
@group(0) @binding(8) var<storage, read_write> residual: array<vec4<f32>>; // as input

@compute @workgroup_size(LANES, ROWS)
fn batch_norm_whole_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let c = flat_group(group, groups);
    if c >= params.channels {
        return;
    }
    let base = c * params.positions * params.vectors;
    let channel = saved_channel(c);
    let sum = tile_sums(base, params.positions, local, channel);
    if local.x == 0u && local.y == 0u {
        put_gradients(c, sum);
    }
    backward_tile(base, params.positions, local, channel, sum / f32(params.positions * step.count));
}
