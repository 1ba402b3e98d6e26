// ReLU, one vec4 an invocation. Bound by memory.
#import grid

const WORKGROUP = 256u;

struct Params {
    vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [vectors]
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>; // [vectors]

@compute @workgroup_size(WORKGROUP)
fn relu(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i >= params.vectors {
        return;
    }
    let x = input[i];
    // A NaN stays a NaN, so that a diverged run shows.
    output[i] = select(x, vec4(0.0), x < vec4(0.0));
}
