// The share of the `k` classes with a sample's largest logits that apply to it; among equal logits the lower classes
// come first. One invocation per sample finds them one after the other.
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
@group(0) @binding(3) var<storage, read> applies: array<f32>; // [classes][lanes]
@group(0) @binding(4) var<storage, read_write> scores: array<f32>; // [lanes]

@compute @workgroup_size(64)
fn precision_at(
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
    let k = unfixed(params.k, arrayLength(&logits));
    var found = 0.0;
    var last = 0u;
    for (var n = 0u; n < k; n++) {
        let lowest = logits[last * params.lanes + lane];
        var best = classes;
        var highest = 0.0;
        for (var c = 0u; c < classes; c++) {
            let z = logits[c * params.lanes + lane];
            let is_left = n == 0u || z < lowest || (z == lowest && c > last);
            if is_left && (best == classes || z > highest) {
                best = c;
                highest = z;
            }
        }
        if best < classes {
            found += select(0.0, 1.0, applies[best * params.lanes + lane] > 0.5);
            last = best;
        }
    }
    scores[lane] = found / f32(params.k);
}
