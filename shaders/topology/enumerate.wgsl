// Every pair of every layer, in the arena's order.
#import grid
#import round_table

struct Params {
    capacity: u32,
    layers: u32,
    n_rows: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<u32>; // [layers + 1][TABLE_WORDS]
@group(0) @binding(2) var<storage, read_write> cols: array<u32>; // [capacity]
@group(0) @binding(3) var<storage, read_write> rows: array<u32>; // [capacity]

@compute @workgroup_size(256)
fn enumerate(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let slot = flat_group(group, groups) * 256u + index;
    if slot >= params.capacity {
        return;
    }
    if slot >= table[params.layers * TABLE_WORDS + TABLE_SLOT] {
        cols[slot] = 0u;
        rows[slot] = params.n_rows;
        return;
    }
    let layer = layer_of_slot(slot, params.layers);
    let at = layer * TABLE_WORDS;
    let pair = slot - table[at + TABLE_SLOT];
    let inputs = table[at + TABLE_INPUTS];
    cols[slot] = table[at + TABLE_COL] + pair % inputs;
    rows[slot] = table[at + TABLE_ROW] + pair / inputs;
}
