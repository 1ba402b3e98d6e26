// The weights that forward passes use: the selected ones unchanged, the others zero.
#import grid

struct Params {
    connections: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> ranks: array<u32>; // [connections + 1]
@group(0) @binding(2) var<storage, read> weights: array<f32>; // [connections]
@group(0) @binding(3) var<storage, read_write> forward: array<f32>; // [connections]

@compute @workgroup_size(256)
fn forward_weights(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let j = flat_group(group, groups) * 256u + index;
    if j < params.connections {
        forward[j] = select(0.0, weights[j], ranks[j + 1u] > ranks[j]);
    }
}
