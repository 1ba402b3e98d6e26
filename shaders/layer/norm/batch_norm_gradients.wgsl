// Batch norm backward, second part: adds up each channel's tiles, in order. One invocation per channel.
#import grid
#import norm_add_up
#import norm_gradient

const WORKGROUP = 64u;

struct Params {
    channels: u32,
    tiles: u32, // of a plane
    weight: u32, // where the channels' weights start
    bias: u32,
    accumulate: u32, // 1: add to the gradients that are there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>; // [channels][tiles][2]
@group(0) @binding(2) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(3) var<storage, read_write> sums: array<f32>; // [2][channels]: of dz, of dz * normalised input

@compute @workgroup_size(WORKGROUP)
fn batch_norm_gradients(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let c = flat_group(group, groups) * WORKGROUP + lane;
    if c >= params.channels {
        return;
    }
    let sum = add_up(c, params.tiles);
    sums[c] = sum.x;
    sums[params.channels + c] = sum.y;
    put_gradients(c, sum);
}
