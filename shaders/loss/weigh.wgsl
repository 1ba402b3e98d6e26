// Multiplies each sample's loss, and the gradient at its outputs, by the sample's weight. One invocation per sample.
#import grid
#import unfixed

struct Params {
    outputs: u32,
    lanes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>; // [lanes]
@group(0) @binding(2) var<storage, read_write> delta: array<f32>; // [outputs][lanes]
@group(0) @binding(3) var<storage, read_write> losses: array<f32>; // [lanes]

@compute @workgroup_size(64)
fn weigh(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = flat_group(group, groups) * 64u + index;
    if lane >= params.lanes {
        return;
    }
    let outputs = unfixed(params.outputs, arrayLength(&delta));
    let weight = weights[lane];
    for (var o = 0u; o < outputs; o++) {
        delta[o * params.lanes + lane] *= weight;
    }
    losses[lane] *= weight;
}
