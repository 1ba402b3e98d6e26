// Replaces grid.wgsl if a dispatch has only some of the workgroups, from `first` on, because all of them would take too
// long: see src/engine/gpu/pace.
struct WorkgroupRange {
    first: u32,
}

@group(1) @binding(0) var<uniform> workgroup_range: WorkgroupRange;

fn flat_group(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return workgroup_range.first + group.y * groups.x + group.x;
}
