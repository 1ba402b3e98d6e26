// Layer norm backward: the gradient at its input.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

#import layer_norm_backward

struct Params {
    channels: u32,
    items: u32, // positions * vectors
    weight: u32, // where the channels' weights start
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][items]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [channels][items]
// `saved` is [2][items]: mean, 1 / standard deviation; zero in padding lanes.
@group(0) @binding(3) var<storage, read> saved: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4<f32>>; // [channels][items]

@compute @workgroup_size(LANES, ROWS)
fn layer_norm_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    backward_lanes(flat_group(group, groups) * LANES + local.x, local.xy, params.accumulate != 0u);
}
