// Copies a merged array into the arena. This is a kernel, because a buffer copy would end the compute pass.
#import grid

struct Params {
    connections: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> merged: array<u32>; // [N]
@group(0) @binding(2) var<storage, read_write> own: array<u32>; // [N]

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
    own[p] = merged[p];
}
