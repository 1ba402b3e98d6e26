// Batch norm's statistics, second half: merges each channel's tiles, in order. One invocation per channel.
#import grid
#import step
#import norm_keep_statistics
#import norm_merge
#import norm_params

const WORKGROUP = 64u;

struct Params {
    norm: Norm,
    tile: u32, // positions
    tiles: u32, // of a plane
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> parts: array<f32>; // [channels][tiles][2]: mean, squared differences
@group(0) @binding(3) var<storage, read_write> running: array<f32>;
@group(0) @binding(4) var<storage, read_write> saved: array<f32>; // [2][channels]: mean, 1 / standard deviation

@compute @workgroup_size(WORKGROUP)
fn batch_norm_merge(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let c = flat_group(group, groups) * WORKGROUP + lane;
    if c >= params.norm.channels {
        return;
    }
    let merged = merge(c, params.tile, params.tiles);
    keep_statistics(c, merged.n, merged.mean, merged.squares);
}
