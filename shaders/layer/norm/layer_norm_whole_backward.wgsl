// All of a layer norm's backward pass: some workgroups go through all channels with some lanes, for the gradient at its
// input; the others have a channel each, for those of its parameters. Neither kind alone fills a large device.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

#import layer_norm_backward
#import layer_norm_gradients

struct Params {
    channels: u32,
    items: u32, // positions * vectors
    weight: u32, // where the channels' weights start
    bias: u32,
    accumulate: u32, // 1: add to the gradients of parameters that are there
    add: u32, // 1: add to the gradient at the input that is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][items]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [channels][items]
// `saved` is [2][items]: mean, 1 / standard deviation; zero in padding lanes.
@group(0) @binding(3) var<storage, read> saved: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>; // [channels][items]

@compute @workgroup_size(LANES, ROWS)
fn layer_norm_whole_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let flat = flat_group(group, groups);
    // Workgroups with the longer loops come first. Only the first piece has any of them.
    let lines = select(0u, (params.items + LANES - 1u) / LANES, part.begin == 0u);
    if flat < lines {
        backward_lanes(flat * LANES + local.x, local.xy, params.add != 0u);
    } else if flat - lines < params.channels {
        sum_channel(flat - lines, local.y * LANES + local.x);
    }
}
