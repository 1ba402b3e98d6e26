// Memory bandwidth: one vec4 from one buffer to another per invocation.
#import grid

const SIZE = 256u;

struct Params {
    vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [vectors]
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>; // [vectors]

@compute @workgroup_size(SIZE)
fn copy(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = flat_group(group, groups) * SIZE + lane;
    if at < params.vectors {
        output[at] = input[at];
    }
}
