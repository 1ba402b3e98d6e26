// PReLU backward, one vec4 per invocation. Bound by memory.
#import grid

const WORKGROUP = 256u;

struct Params {
    channels: u32,
    vectors: u32, // of a channel's plane
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][vectors]
@group(0) @binding(2) var<storage, read> slope: array<f32>; // [channels]
@group(0) @binding(3) var<storage, read> delta: array<vec4<f32>>; // [channels][vectors]
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>; // [channels][vectors]

@compute @workgroup_size(WORKGROUP)
fn prelu_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i >= params.channels * params.vectors {
        return;
    }
    let a = vec4(slope[i / params.vectors]);
    var d = delta[i] * select(a, vec4(1.0), input[i] > vec4(0.0));
    if params.accumulate != 0u {
        d += output[i];
    }
    output[i] = d;
}
