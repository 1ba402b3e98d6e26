// Rows and columns of the new topology, each from the place given by `sources`.
#import grid

const GROWN = 0x80000000u;

struct Params {
    connections: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sources: array<u32>; // [N]
@group(0) @binding(2) var<storage, read> rows: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(4) var<storage, read> candidate_rows: array<u32>; // [capacity]
@group(0) @binding(5) var<storage, read> candidate_cols: array<u32>; // [capacity]
@group(0) @binding(6) var<storage, read_write> new_rows: array<u32>; // [N]
@group(0) @binding(7) var<storage, read_write> new_cols: array<u32>; // [N]

@compute @workgroup_size(256)
fn merge_pairs(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let p = flat_group(group, groups) * 256u + index;
    if p >= params.connections {
        return;
    }
    let source = sources[p];
    if (source & GROWN) != 0u {
        new_rows[p] = candidate_rows[source & ~GROWN];
        new_cols[p] = candidate_cols[source & ~GROWN];
    } else {
        new_rows[p] = rows[source];
        new_cols[p] = cols[source];
    }
}
