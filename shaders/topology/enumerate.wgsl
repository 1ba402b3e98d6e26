// The inactive pairs of a tile, in the slots right before the running list.
#import grid
#import running_list

struct Params {
    length: u32, // pairs of the tile
    row: u32, // of the first one
    input: u32, // its input unit, from the layer's first
    inputs: u32,
    first_col: u32,
    n_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> list: array<u32>;
@group(0) @binding(2) var<storage, read> active_offsets: array<u32>; // [R + 1]
@group(0) @binding(3) var<storage, read> active_cols: array<u32>; // [N]
@group(0) @binding(4) var<storage, read_write> rows: array<u32>; // [slots]
@group(0) @binding(5) var<storage, read_write> cols: array<u32>; // [slots]
@group(0) @binding(6) var<storage, read_write> offsets: array<u32>; // [R + 1]

// Number of connections of the arena that lie before a pair of the tile, or before its end.
fn connections_before(at: u32) -> u32 {
    let unit = params.input + at;
    let row = params.row + unit / params.inputs;
    let input = unit % params.inputs;
    var low = active_offsets[row];
    // There is nothing before a row's first input, and no row after the last. A branch on this would depend only on
    // uniforms: see lib/unfixed.wgsl.
    var high = active_offsets[row + min(input, 1u)];
    while low < high {
        let middle = low + (high - low) / 2u;
        if active_cols[middle] < params.first_col + input {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    return low;
}

@compute @workgroup_size(256)
fn enumerate(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let i = flat_group(group, groups) * 256u + index;
    let before = connections_before(0u);
    let inactive = params.length - (connections_before(params.length) - before);
    let first = list[LIST_BEGIN] - inactive;
    if i < params.length {
        let unit = params.input + i;
        let row = params.row + unit / params.inputs;
        let col = params.first_col + unit % params.inputs;
        let at = connections_before(i);
        let connected = at < active_offsets[row + 1u] && active_cols[at] == col;
        if !connected {
            let slot = first + i - (at - before);
            rows[slot] = row;
            cols[slot] = col;
        }
    }
    if i <= params.n_rows {
        // Where the row begins in the tile.
        var start = 0u;
        if i > params.row {
            let rows_before = i - params.row;
            let touched = (params.input + params.length - 1u) / params.inputs + 1u;
            start = select(params.length, rows_before * params.inputs - params.input, rows_before < touched);
        }
        offsets[i] = first + start - (connections_before(start) - before);
    }
}
