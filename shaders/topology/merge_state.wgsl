// An array of the connections in the new topology: a survivor keeps its word, a grown connection gets the start value.
// They are moved as words, so that no adapter can round them.
#import grid

const GROWN = 0x80000000u;

struct Params {
    connections: u32,
    start: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sources: array<u32>; // [N]
@group(0) @binding(2) var<storage, read> own: array<u32>; // [N]
@group(0) @binding(3) var<storage, read_write> merged: array<u32>; // [N]

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
        merged[p] = params.start;
    } else {
        merged[p] = own[source];
    }
}
