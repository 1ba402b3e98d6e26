// The place of each surviving connection: after the survivors before it and the grown ones that sort before it.
#import grid

struct Params {
    connections: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<u32>; // [N]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> prune_ranks: array<u32>; // [N + 1]
@group(0) @binding(4) var<storage, read> candidate_offsets: array<u32>; // [R + 1]
@group(0) @binding(5) var<storage, read> candidate_cols: array<u32>; // [capacity]
@group(0) @binding(6) var<storage, read> grow_ranks: array<u32>; // [capacity + 1]
@group(0) @binding(7) var<storage, read_write> sources: array<u32>; // [N]

@compute @workgroup_size(256)
fn place_survivors(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let j = flat_group(group, groups) * 256u + index;
    if j >= params.connections {
        return;
    }
    let pruned_before = prune_ranks[j];
    if prune_ranks[j + 1u] > pruned_before {
        return;
    }
    let col = cols[j];
    var low = candidate_offsets[rows[j]];
    var high = candidate_offsets[rows[j] + 1u];
    while low < high {
        let middle = low + (high - low) / 2u;
        if candidate_cols[middle] < col {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    sources[j - pruned_before + grow_ranks[low]] = j;
}
