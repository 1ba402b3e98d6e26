// A layer's weights with zeros for the missing connections: an invocation writes up to 64 columns of a row.
#import grid

override LANES: u32 = 8u;

const COLUMNS = 64u;

struct Params {
    rows: u32,
    cols: u32,
    first_row: u32,
    first_col: u32,
    chunks: u32, // invocations that share a row
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(4) var<storage, read_write> output: array<f32>; // [rows][cols]

@compute @workgroup_size(LANES)
fn expand(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let index = flat_group(group, groups) * LANES + local.x;
    let row = index / params.chunks;
    if row >= params.rows {
        return;
    }
    let first = (index - row * params.chunks) * COLUMNS;
    let last = min(first + COLUMNS, params.cols);
    let end = row_offsets[params.first_row + row + 1u];
    // The row's first connection at or past the first column.
    var j = row_offsets[params.first_row + row];
    var above = end;
    while j < above {
        let middle = j + (above - j) / 2u;
        if cols[middle] - params.first_col < first {
            j = middle + 1u;
        } else {
            above = middle;
        }
    }
    for (var col = first; col < last; col++) {
        var weight = 0.0;
        if j < end && cols[j] - params.first_col == col {
            weight = weights[j];
            j++;
        }
        output[row * params.cols + col] = weight;
    }
}
