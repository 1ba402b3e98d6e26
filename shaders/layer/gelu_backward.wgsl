// GELU's backward, delta (Phi(x) + x phi(x)), one vec4 an invocation.
#import grid
#import normal

const WORKGROUP = 256u;

struct Params {
    vectors: u32,
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [vectors]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [vectors]
@group(0) @binding(3) var<storage, read_write> output: array<vec4<f32>>; // [vectors]

@compute @workgroup_size(WORKGROUP)
fn gelu_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i >= params.vectors {
        return;
    }
    let x = input[i];
    let n = normal(x);
    var d = delta[i] * (n.distribution + x * n.density);
    if params.accumulate != 0u {
        d += output[i];
    }
    output[i] = d;
}
