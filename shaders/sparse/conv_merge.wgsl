// Second half of conv_sddmm if an output channel's lines are split into slices: adds up their gradients, in order. One
// dispatch for all layers.
#import grid

struct Params {
    connections: u32,
    accumulate: u32, // 1: add to what is there
    most: u32, // slices that any row has
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> rows: array<u32>; // [N]
@group(0) @binding(2) var<storage, read> slices: array<u32>; // [R]: none where the gradients are complete
@group(0) @binding(3) var<storage, read> sliced: array<f32>; // [most][N]
@group(0) @binding(4) var<storage, read_write> gradient: array<f32>; // [N]

@compute @workgroup_size(64)
fn conv_merge(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let j = flat_group(group, groups) * 64u + local.x;
    if j >= params.connections {
        return;
    }
    let count = min(slices[rows[j]], params.most);
    if count == 0u {
        return;
    }
    var sum = 0.0;
    if params.accumulate != 0u {
        sum = gradient[j];
    }
    for (var slice = 0u; slice < count; slice++) {
        sum += sliced[slice * params.connections + j];
    }
    gradient[j] = sum;
}
