// Turns the running list into the round's candidates.
#import grid
#import running_list

struct Params {
    capacity: u32,
    slots: u32, // where the list ends
    n_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> list: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>; // [slots]
@group(0) @binding(3) var<storage, read> cols: array<u32>; // [slots]
@group(0) @binding(4) var<storage, read> scores: array<u32>; // [slots]
@group(0) @binding(5) var<storage, read_write> out_rows: array<u32>; // [capacity]
@group(0) @binding(6) var<storage, read_write> out_cols: array<u32>; // [capacity]
@group(0) @binding(7) var<storage, read_write> out_scores: array<u32>; // [capacity]

@compute @workgroup_size(256)
fn settle(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let i = flat_group(group, groups) * 256u + index;
    if i >= params.capacity {
        return;
    }
    let slot = list[LIST_BEGIN] + i;
    if slot < params.slots {
        out_rows[i] = rows[slot];
        out_cols[i] = cols[slot];
        out_scores[i] = scores[slot];
    } else {
        out_rows[i] = params.n_rows;
        out_cols[i] = 0u;
        out_scores[i] = 0u;
    }
}
