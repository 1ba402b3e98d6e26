// Compacts the taken slots.
#import grid

struct Params {
    slots: u32, // from the tile's first on
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ranks: array<u32>; // [slots + 1]
@group(0) @binding(2) var<storage, read> rows: array<u32>; // [slots]
@group(0) @binding(3) var<storage, read> cols: array<u32>; // [slots]
@group(0) @binding(4) var<storage, read> scores: array<u32>; // [slots]
@group(0) @binding(5) var<storage, read_write> best_rows: array<u32>; // [capacity]
@group(0) @binding(6) var<storage, read_write> best_cols: array<u32>; // [capacity]
@group(0) @binding(7) var<storage, read_write> best_scores: array<u32>; // [capacity]
@group(0) @binding(8) var<storage, read> starts: array<u32>; // [2]: the tile's first slot

@compute @workgroup_size(256)
fn keep_best(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let i = flat_group(group, groups) * 256u + index;
    if i >= params.slots {
        return;
    }
    let place = ranks[i];
    if ranks[i + 1u] > place {
        let slot = starts[0] + i;
        best_rows[place] = rows[slot];
        best_cols[place] = cols[slot];
        best_scores[place] = scores[slot];
    }
}
