// The gradients of PReLU's slopes, one invocation per channel: simple, and good for few channels of small planes.
#import grid
#import part

const WORKGROUP = 64u;

struct Params {
    channels: u32,
    vectors: u32, // of a channel's plane
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][vectors]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [channels][vectors]
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>; // [channels]

@compute @workgroup_size(WORKGROUP)
fn prelu_gradient(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let c = flat_group(group, groups) * WORKGROUP + lane;
    if c >= params.channels {
        return;
    }
    var sum = vec4(0.0);
    for (var v = part.begin; v < part.end; v++) {
        let i = c * params.vectors + v;
        sum += delta[i] * min(input[i], vec4(0.0));
    }
    // Each piece adds to the one before.
    let add = params.accumulate != 0u || part.begin > 0u;
    let before = select(0.0, gradient[c], add);
    gradient[c] = before + ((sum.x + sum.y) + (sum.z + sum.w));
}
