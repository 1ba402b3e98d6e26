// Batch norm's statistics from parts that state their number of samples, if the next layer normalises at each load: no
// output is written. One invocation per channel.
#import grid
#import norm_keep_parameters
#import norm_keep_statistics
#import norm_merge_parts
#import norm_params

const WORKGROUP = 64u;

struct Params {
    norm: Norm,
    parts: u32, // of a plane
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> parts: array<f32>; // [channels][parts][3]: members, mean, squared differences
@group(0) @binding(2) var<storage, read> values: array<f32>;
@group(0) @binding(3) var<storage, read_write> running: array<f32>;
@group(0) @binding(4) var<storage, read_write> saved: array<f32>; // [4][channels]: mean, 1 / deviation, weight, bias

@compute @workgroup_size(WORKGROUP)
fn batch_norm_merge_counted(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let c = flat_group(group, groups) * WORKGROUP + lane;
    if c >= params.norm.channels {
        return;
    }
    let merged = merge_parts(c, params.parts);
    keep_statistics(c, merged.n, merged.mean, merged.squares);
    keep_parameters(c);
}
