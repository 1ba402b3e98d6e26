// Softmax and cross-entropy with label smoothing, and the gradient at the logits. One invocation per member of the batch:
// neighbours read neighbouring words of each class's row.
#import step
#import unfixed

struct Params {
    classes: u32,
    stride: u32,
    smoothing: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [classes][stride]
@group(0) @binding(3) var<storage, read> labels: array<u32>; // [stride]
@group(0) @binding(4) var<storage, read_write> delta: array<f32>; // [classes][stride]
@group(0) @binding(5) var<storage, read_write> losses: array<f32>; // [stride]
@group(0) @binding(6) var<storage, read_write> hits: array<u32>; // [stride]

@compute @workgroup_size(64)
fn softmax_cross_entropy(@builtin(global_invocation_id) id: vec3<u32>) {
    let lane = id.x;
    if lane >= params.stride {
        return;
    }
    let classes = unfixed(params.classes, arrayLength(&logits));
    if lane >= step.count {
        for (var c = 0u; c < classes; c++) {
            delta[c * params.stride + lane] = 0.0;
        }
        losses[lane] = 0.0;
        hits[lane] = 0u;
        return;
    }
    var best = 0u;
    var highest = logits[lane];
    for (var c = 1u; c < classes; c++) {
        let z = logits[c * params.stride + lane];
        if z > highest {
            highest = z;
            best = c;
        }
    }
    var total = 0.0;
    var shifted = 0.0;
    for (var c = 0u; c < classes; c++) {
        let z = logits[c * params.stride + lane] - highest;
        total += exp(z);
        shifted += z;
    }
    let label = labels[lane];
    let log_total = log(total);
    let even = params.smoothing / f32(params.classes);
    let scale = 1.0 / f32(step.total);
    for (var c = 0u; c < classes; c++) {
        let at = c * params.stride + lane;
        let probability = exp(logits[at] - highest) / total;
        let wanted = even + select(0.0, 1.0 - params.smoothing, c == label);
        delta[at] = (probability - wanted) * scale;
    }
    // -sum over c of wanted[c] * log p[c], with log p[c] = z[c] - highest - log_total
    let own = logits[label * params.stride + lane] - highest;
    losses[lane] = log_total - (1.0 - params.smoothing) * own - even * shifted;
    hits[lane] = select(0u, 1u, best == label);
}
