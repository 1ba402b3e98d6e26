// Layer norm backward: the gradients of its parameters. One workgroup per channel.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

#import layer_norm_gradients

struct Params {
    channels: u32,
    items: u32, // positions * vectors
    weight: u32, // where the channels' weights start
    bias: u32,
    accumulate: u32, // 1: add to the gradients that are there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][items]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [channels][items]
// `saved` is [2][items]: mean, 1 / standard deviation; zero in padding lanes.
@group(0) @binding(3) var<storage, read> saved: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>;

@compute @workgroup_size(LANES, ROWS)
fn layer_norm_gradients(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let c = flat_group(group, groups);
    if c >= params.channels {
        return;
    }
    sum_channel(c, local.y * LANES + local.x);
}
