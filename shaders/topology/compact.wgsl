// Compacts the marked pairs; the rest of the output is unused.
#import grid

struct Params {
    capacity: u32,
    n_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ranks: array<u32>; // [capacity + 1]: the marks, scanned
@group(0) @binding(2) var<storage, read> rows: array<u32>; // [capacity]
@group(0) @binding(3) var<storage, read> cols: array<u32>; // [capacity]
@group(0) @binding(4) var<storage, read_write> out_rows: array<u32>; // [capacity]
@group(0) @binding(5) var<storage, read_write> out_cols: array<u32>; // [capacity]

@compute @workgroup_size(256)
fn compact(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let i = flat_group(group, groups) * 256u + index;
    if i >= params.capacity {
        return;
    }
    let rank = ranks[i];
    if ranks[i + 1u] > rank {
        out_rows[rank] = rows[i];
        out_cols[rank] = cols[i];
    }
    if i >= ranks[params.capacity] {
        out_rows[i] = params.n_rows;
        out_cols[i] = 0u;
    }
}
