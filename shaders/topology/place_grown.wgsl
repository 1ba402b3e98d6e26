// The place of each grown connection: after the grown ones before it and the survivors that sort before it.
#import grid

// Marks a source as a candidate.
const GROWN = 0x80000000u;

struct Params {
    capacity: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> candidate_rows: array<u32>; // [capacity]
@group(0) @binding(2) var<storage, read> candidate_cols: array<u32>; // [capacity]
@group(0) @binding(3) var<storage, read> grow_ranks: array<u32>; // [capacity + 1]
@group(0) @binding(4) var<storage, read> active_offsets: array<u32>; // [R + 1]
@group(0) @binding(5) var<storage, read> active_cols: array<u32>; // [N]
@group(0) @binding(6) var<storage, read> prune_ranks: array<u32>; // [N + 1]
@group(0) @binding(7) var<storage, read_write> sources: array<u32>; // [N]

@compute @workgroup_size(256)
fn place_grown(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let i = flat_group(group, groups) * 256u + index;
    if i >= params.capacity {
        return;
    }
    let grown_before = grow_ranks[i];
    if grow_ranks[i + 1u] == grown_before {
        return;
    }
    let row = candidate_rows[i];
    let col = candidate_cols[i];
    var low = active_offsets[row];
    var high = active_offsets[row + 1u];
    while low < high {
        let middle = low + (high - low) / 2u;
        if active_cols[middle] < col {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    sources[grown_before + low - prune_ranks[low]] = GROWN | i;
}
