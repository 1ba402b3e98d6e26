// Weight and momentum of the new topology: a survivor's own, a grown connection's zero. Moved as words, so that
// no adapter may round them.
#import grid

const GROWN = 0x80000000u;

struct Params {
    connections: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sources: array<u32>; // [N]
@group(0) @binding(2) var<storage, read> weights: array<u32>; // [N]
@group(0) @binding(3) var<storage, read> momentum: array<u32>; // [N]
@group(0) @binding(4) var<storage, read_write> new_weights: array<u32>; // [N]
@group(0) @binding(5) var<storage, read_write> new_momentum: array<u32>; // [N]

@compute @workgroup_size(256)
fn merge_state(
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
        new_weights[p] = 0u;
        new_momentum[p] = 0u;
    } else {
        new_weights[p] = weights[source];
        new_momentum[p] = momentum[source];
    }
}
