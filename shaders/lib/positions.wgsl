// Each row of lanes (a feature of a token) gets the number that says where the token lies: `put` adds it.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    rows: u32,
    vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<f32>; // [rows]

@compute @workgroup_size(LANES, ROWS)
fn ENTRY(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let row = flat_group(group, groups) * ROWS + local.y;
    if row >= params.rows {
        return;
    }
    let position = table[row];
    for (var v = local.x; v < params.vectors; v += LANES) {
        put(row * params.vectors + v, position);
    }
}
