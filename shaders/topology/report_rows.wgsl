// Sums the magnitudes of the taken items in each row.
#import grid
#import part

struct Params {
    rows: u32,
    items: u32, // no row has more
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> offsets: array<u32>; // [rows + 1]
@group(0) @binding(2) var<storage, read> ranks: array<u32>; // [items + 1]
@group(0) @binding(3) var<storage, read> values: array<f32>; // [items]
@group(0) @binding(4) var<storage, read_write> sums: array<f32>; // [rows]

@compute @workgroup_size(64)
fn report_rows(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let row = flat_group(group, groups) * 64u + index;
    if row >= params.rows {
        return;
    }
    let row_begin = offsets[row];
    let row_end = offsets[row + 1u];
    // This piece's items; it continues from the piece before.
    let end = min(row_begin + part.end, row_end);
    var j = min(row_begin + part.begin, row_end);
    var sum = 0.0;
    if part.begin > 0u {
        sum = sums[row];
    }
    var rank = ranks[j];
    for (; j < end; j++) {
        let next = ranks[j + 1u];
        if next != rank {
            sum += abs(values[j]);
        }
        rank = next;
    }
    sums[row] = sum;
}
