// A kernel of one vec4 per invocation, bound by memory. The importing kernel has `params.vectors`, and defines in
// `compute` what happens to vector `i`.
#import grid

const WORKGROUP = 256u;

@compute @workgroup_size(WORKGROUP)
fn ENTRY(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i < params.vectors {
        compute(i);
    }
}
