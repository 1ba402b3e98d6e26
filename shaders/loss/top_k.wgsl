// Whether the logit of a sample's class is among the `k` largest; among equal logits the lower classes come first. One
// invocation per sample.
#import grid
#import step
#import unfixed

struct Params {
    classes: u32,
    lanes: u32,
    k: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [classes][lanes]
@group(0) @binding(3) var<storage, read> labels: array<u32>; // [lanes]
@group(0) @binding(4) var<storage, read_write> scores: array<f32>; // [lanes]

@compute @workgroup_size(64)
fn top_k(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = flat_group(group, groups) * 64u + index;
    if lane >= params.lanes {
        return;
    }
    if lane >= step.count {
        scores[lane] = 0.0;
        return;
    }
    let classes = unfixed(params.classes, arrayLength(&logits));
    let label = labels[lane];
    let own = logits[label * params.lanes + lane];
    var before = 0u;
    for (var c = 0u; c < classes; c++) {
        let z = logits[c * params.lanes + lane];
        before += select(0u, 1u, z > own || (z == own && c < label));
    }
    scores[lane] = select(0.0, 1.0, before < params.k);
}
