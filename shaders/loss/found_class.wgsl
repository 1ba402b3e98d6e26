// Whether the largest logit of each sample of the batch is that of its class. One invocation per sample.
#import grid
#import step
#import unfixed

struct Params {
    classes: u32,
    lanes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [classes][lanes]
@group(0) @binding(3) var<storage, read> labels: array<u32>; // [lanes]
@group(0) @binding(4) var<storage, read_write> correct: array<f32>; // [lanes]

@compute @workgroup_size(64)
fn found_class(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = flat_group(group, groups) * 64u + index;
    if lane >= params.lanes {
        return;
    }
    if lane >= step.count {
        correct[lane] = 0.0;
        return;
    }
    let classes = unfixed(params.classes, arrayLength(&logits));
    var best = 0u;
    var highest = logits[lane];
    for (var c = 1u; c < classes; c++) {
        let z = logits[c * params.lanes + lane];
        if z > highest {
            highest = z;
            best = c;
        }
    }
    correct[lane] = select(0.0, 1.0, best == labels[lane]);
}
