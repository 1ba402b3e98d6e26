// Multiplies an array by a number that is on the device. Bound by memory.
#import grid

const WORKGROUP = 64u;

struct Params {
    vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> factor: array<f32>; // [2], of which the first counts
@group(0) @binding(2) var<storage, read_write> numbers: array<vec4<f32>>; // [vectors]

@compute @workgroup_size(WORKGROUP)
fn scale(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i < params.vectors {
        numbers[i] *= factor[0];
    }
}
