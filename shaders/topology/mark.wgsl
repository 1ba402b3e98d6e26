// Marks the sorted pairs that are candidates: in use, not drawn before, not active.
#import grid

struct Params {
    capacity: u32,
    n_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<u32>; // [capacity]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [capacity]
@group(0) @binding(3) var<storage, read> active_offsets: array<u32>; // [R + 1]
@group(0) @binding(4) var<storage, read> active_cols: array<u32>; // [N]
@group(0) @binding(5) var<storage, read_write> marks: array<u32>; // [capacity + 1]

fn is_active(row: u32, col: u32) -> bool {
    var low = active_offsets[row];
    let end = active_offsets[row + 1u];
    var high = end;
    while low < high {
        let middle = low + (high - low) / 2u;
        if active_cols[middle] < col {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low < end && active_cols[low] == col;
}

@compute @workgroup_size(256)
fn mark(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let i = flat_group(group, groups) * 256u + index;
    if i > params.capacity {
        return;
    }
    var candidate = false;
    if i < params.capacity && rows[i] < params.n_rows {
        let again = i > 0u && rows[i - 1u] == rows[i] && cols[i - 1u] == cols[i];
        candidate = !again && !is_active(rows[i], cols[i]);
    }
    marks[i] = u32(candidate);
}
