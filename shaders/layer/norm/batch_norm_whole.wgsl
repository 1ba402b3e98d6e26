// A batch norm of planes that are small enough for one workgroup each: statistics, then output, which finds the plane
// in the cache.
#import grid
#import step
#import norm_apply
#import norm_keep_parameters
#import norm_keep_statistics
#import norm_params
#import norm_statistics

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: four loads under way at once

struct Params {
    norm: Norm,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>; // as input
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> running: array<f32>;
// `saved` is [4][channels]: mean, 1 / standard deviation, weight, bias.
@group(0) @binding(6) var<storage, read_write> saved: array<f32>;
@group(0) @binding(7) var<storage, read_write> output: array<vec4<f32>>; // as input

@compute @workgroup_size(LANES, ROWS)
fn batch_norm_whole(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let c = flat_group(group, groups);
    if c >= params.norm.channels {
        return;
    }
    let base = c * params.norm.positions * params.norm.vectors;
    let n = f32(params.norm.positions * step.count);
    let found = tile_statistics(base, params.norm.positions, params.norm.vectors, local);
    if local.x == 0u && local.y == 0u {
        keep_statistics(c, n, found.x, found.y);
        keep_parameters(c);
    }
    let scale = inverse_deviation(n, found.y) * values[params.norm.weight + c];
    apply_tile(base, params.norm.positions, local, found.x, scale, values[params.norm.bias + c]);
}
