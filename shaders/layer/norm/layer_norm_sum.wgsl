// The sum of two arrays, and its layer norm.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

#import layer_norm_forward

struct Params {
    channels: u32,
    positions: u32,
    vectors: u32,
    weight: u32, // where the channels' weights start
    bias: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> a: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(3) var<storage, read> b: array<vec4<f32>>; // as a
@group(0) @binding(4) var<storage, read> values: array<f32>;
@group(0) @binding(5) var<storage, read_write> sum: array<vec4<f32>>; // as a
@group(0) @binding(6) var<storage, read_write> output: array<vec4<f32>>; // as a
// `saved` is [2][positions][vectors]: mean, 1 / standard deviation.
@group(0) @binding(7) var<storage, read_write> saved: array<vec4<f32>>;

fn first_value(at: u32) -> vec4<f32> {
    let x = a[at] + b[at];
    sum[at] = x;
    return x;
}

// Not read back from where it was stored, because that may have rounded it to 16 bits.
fn value(at: u32) -> vec4<f32> {
    return a[at] + b[at];
}

@compute @workgroup_size(LANES, ROWS)
fn layer_norm_sum(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    forward_lanes(flat_group(group, groups) * LANES + local.x, local.xy);
}
