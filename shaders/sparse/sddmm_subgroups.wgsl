// sddmm with sums by subgroups, a variant of its hardware shape.
#require subgroups
#import grid
#import part
#import sddmm_subgroups

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [pairs]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [n_in][vectors]
@group(0) @binding(4) var<storage, read> delta: array<vec4<f32>>; // [n_out][vectors]
@group(0) @binding(5) var<storage, read_write> output: array<f32>; // [pairs]

@compute @workgroup_size(WORKGROUP)
fn sddmm_subgroups(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(subgroup_size) size: u32,
    @builtin(subgroup_invocation_id) invocation: u32,
) {
    let share = share_of(flat_group(group, groups));
    if share.unit >= params.rows {
        return;
    }
    let pairs = pairs_of(share.unit);
    lanes_over_batch(share.unit, pairs.x + share.chunk, pairs.y, size, subgroup * size + invocation);
}
