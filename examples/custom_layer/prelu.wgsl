// PReLU, one vec4 per invocation. Bound by memory.
#import grid

const WORKGROUP = 256u;

struct Params {
    channels: u32,
    vectors: u32, // of a channel's plane
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][vectors]
@group(0) @binding(2) var<storage, read> slope: array<f32>; // [channels]
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>; // [channels][vectors]

@compute @workgroup_size(WORKGROUP)
fn prelu(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i >= params.channels * params.vectors {
        return;
    }
    let x = input[i];
    output[i] = select(x * slope[i / params.vectors], x, x > vec4(0.0));
}
