// More than 65,535 workgroups are folded into y; this is the index of the workgroup before folding.
fn flat_group(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}
