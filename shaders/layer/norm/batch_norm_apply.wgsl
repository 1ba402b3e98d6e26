// Batch norm's output, with the optional addition and ReLU after it. One workgroup per tile of a channel's plane.
#import grid
#import step
#import norm_apply
#import norm_params

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: four loads under way at once

struct Params {
    norm: Norm,
    tile: u32, // positions
    tiles: u32, // of a plane
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>; // as input
@group(0) @binding(4) var<storage, read> saved: array<f32>; // [2][channels]: mean, 1 / standard deviation
@group(0) @binding(5) var<storage, read> values: array<f32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>; // as input

@compute @workgroup_size(LANES, ROWS)
fn batch_norm_apply(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let item = flat_group(group, groups);
    if item >= params.norm.channels * params.tiles {
        return;
    }
    let c = item / params.tiles;
    let first = (item % params.tiles) * params.tile;
    let rows = min(params.tile, params.norm.positions - first);
    let base = (c * params.norm.positions + first) * params.norm.vectors;
    let scale = saved[params.norm.channels + c] * values[params.norm.weight + c];
    apply_tile(base, rows, local, saved[c], scale, values[params.norm.bias + c]);
}
