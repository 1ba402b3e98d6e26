// The merged connections into the arena. A kernel, not a buffer copy, which would end the compute pass.
#import grid

struct Params {
    connections: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> new_rows: array<u32>; // [N]
@group(0) @binding(2) var<storage, read> new_cols: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> new_weights: array<u32>; // [N]
@group(0) @binding(4) var<storage, read> new_momentum: array<u32>; // [N]
@group(0) @binding(5) var<storage, read_write> rows: array<u32>; // [N]
@group(0) @binding(6) var<storage, read_write> cols: array<u32>; // [N]
@group(0) @binding(7) var<storage, read_write> weights: array<u32>; // [N]
@group(0) @binding(8) var<storage, read_write> momentum: array<u32>; // [N]

@compute @workgroup_size(256)
fn copy_back(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let p = flat_group(group, groups) * 256u + index;
    if p >= params.connections {
        return;
    }
    rows[p] = new_rows[p];
    cols[p] = new_cols[p];
    weights[p] = new_weights[p];
    momentum[p] = new_momentum[p];
}
