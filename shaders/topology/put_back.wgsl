// Puts the best into the open part of the running list.
#import grid
#import running_list

struct Params {
    capacity: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> list: array<u32>;
@group(0) @binding(2) var<storage, read> best_rows: array<u32>; // [capacity]
@group(0) @binding(3) var<storage, read> best_cols: array<u32>; // [capacity]
@group(0) @binding(4) var<storage, read> best_scores: array<u32>; // [capacity]
@group(0) @binding(5) var<storage, read_write> rows: array<u32>; // [slots]
@group(0) @binding(6) var<storage, read_write> cols: array<u32>; // [slots]
@group(0) @binding(7) var<storage, read_write> scores: array<u32>; // [slots]

@compute @workgroup_size(256)
fn put_back(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let i = flat_group(group, groups) * 256u + index;
    let slot = list[LIST_BEGIN] + i;
    if i < params.capacity && slot < list[LIST_END] {
        rows[slot] = best_rows[i];
        cols[slot] = best_cols[i];
        scores[slot] = best_scores[i];
    }
}
