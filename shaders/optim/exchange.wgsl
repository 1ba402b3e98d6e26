// Two arrays are exchanged, four words per invocation. Bound by memory.
#import grid

const WORKGROUP = 64u;

struct Params {
    vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> one: array<vec4<u32>>; // [vectors]
@group(0) @binding(2) var<storage, read_write> other: array<vec4<u32>>; // [vectors]

@compute @workgroup_size(WORKGROUP)
fn exchange(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i < params.vectors {
        let word = one[i];
        one[i] = other[i];
        other[i] = word;
    }
}
