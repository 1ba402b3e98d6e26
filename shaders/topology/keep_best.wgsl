// Moves the taken slots together.
#import grid

struct Params {
    slots: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ranks: array<u32>; // [slots + 1]
@group(0) @binding(2) var<storage, read> rows: array<u32>; // [slots]
@group(0) @binding(3) var<storage, read> cols: array<u32>; // [slots]
@group(0) @binding(4) var<storage, read> scores: array<u32>; // [slots]
@group(0) @binding(5) var<storage, read_write> best_rows: array<u32>; // [capacity]
@group(0) @binding(6) var<storage, read_write> best_cols: array<u32>; // [capacity]
@group(0) @binding(7) var<storage, read_write> best_scores: array<u32>; // [capacity]

@compute @workgroup_size(256)
fn keep_best(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let slot = flat_group(group, groups) * 256u + index;
    if slot >= params.slots {
        return;
    }
    let place = ranks[slot];
    if ranks[slot + 1u] > place {
        best_rows[place] = rows[slot];
        best_cols[place] = cols[slot];
        best_scores[place] = scores[slot];
    }
}
