// The moving average follows the weights, four of them per invocation. Bound by memory: two arrays read, one written.
#import grid

const WORKGROUP = 64u;

struct Params {
    vectors: u32,
    decay: f32,
    rest: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<vec4<f32>>; // [vectors]
@group(0) @binding(2) var<storage, read_write> averages: array<vec4<f32>>; // [vectors]

@compute @workgroup_size(WORKGROUP)
fn average(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i < params.vectors {
        averages[i] = params.decay * averages[i] + params.rest * weights[i];
    }
}
