// Softmax and cross-entropy with label smoothing, and the gradient at the logits. One invocation per sample of the
// batch: neighbours read neighbouring words of each class's row.
#import grid
#import step
#import unfixed

struct Params {
    classes: u32,
    lanes: u32,
    smoothing: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> logits: array<f32>; // [classes][lanes]
@group(0) @binding(3) var<storage, read> labels: array<u32>; // [lanes]
@group(0) @binding(4) var<storage, read_write> delta: array<f32>; // [classes][lanes]
@group(0) @binding(5) var<storage, read_write> losses: array<f32>; // [lanes]
@group(0) @binding(6) var<storage, read_write> correct: array<f32>; // [lanes]

// The logits of four classes, used one after another: a quarter of the rounds that single classes would take. Classes
// past the last repeat the last one.
fn four(c: u32, lane: u32) -> vec4<f32> {
    let last = params.classes - 1u;
    return vec4(
        logits[c * params.lanes + lane],
        logits[min(c + 1u, last) * params.lanes + lane],
        logits[min(c + 2u, last) * params.lanes + lane],
        logits[min(c + 3u, last) * params.lanes + lane],
    );
}

fn put(c: u32, lane: u32, value: f32) {
    if c < params.classes {
        delta[c * params.lanes + lane] = value;
    }
}

@compute @workgroup_size(64)
fn softmax_cross_entropy(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let lane = flat_group(group, groups) * 64u + index;
    if lane >= params.lanes {
        return;
    }
    let classes = unfixed(params.classes, arrayLength(&logits));
    if lane >= step.count {
        for (var c = 0u; c < classes; c += 4u) {
            put(c, lane, 0.0);
            put(c + 1u, lane, 0.0);
            put(c + 2u, lane, 0.0);
            put(c + 3u, lane, 0.0);
        }
        losses[lane] = 0.0;
        correct[lane] = 0.0;
        return;
    }
    var best = 0u;
    var highest = logits[lane];
    for (var c = 0u; c < classes; c += 4u) {
        let z = four(c, lane);
        if z.x > highest {
            highest = z.x;
            best = c;
        }
        if z.y > highest {
            highest = z.y;
            best = c + 1u;
        }
        if z.z > highest {
            highest = z.z;
            best = c + 2u;
        }
        if z.w > highest {
            highest = z.w;
            best = c + 3u;
        }
    }
    var total = 0.0;
    var shifted = 0.0;
    for (var c = 0u; c < classes; c += 4u) {
        let here = vec4(c) + vec4(0u, 1u, 2u, 3u) < vec4(classes);
        let z = four(c, lane) - highest;
        let e = select(vec4(0.0), exp(z), here);
        let s = select(vec4(0.0), z, here);
        total = (((total + e.x) + e.y) + e.z) + e.w;
        shifted = (((shifted + s.x) + s.y) + s.z) + s.w;
    }
    let label = labels[lane];
    let log_total = log(total);
    let even = params.smoothing / f32(classes);
    let scale = 1.0 / f32(step.total);
    for (var c = 0u; c < classes; c += 4u) {
        let probability = exp(four(c, lane) - highest) / total;
        let own = vec4(c) + vec4(0u, 1u, 2u, 3u) == vec4(label);
        let smoothed = even + select(vec4(0.0), vec4(1.0 - params.smoothing), own);
        let d = (probability - smoothed) * scale;
        put(c, lane, d.x);
        put(c + 1u, lane, d.y);
        put(c + 2u, lane, d.z);
        put(c + 3u, lane, d.w);
    }
    // -sum over c of smoothed[c] * log p[c], with log p[c] = z[c] - highest - log_total
    let own = logits[label * params.lanes + lane] - highest;
    losses[lane] = log_total - (1.0 - params.smoothing) * own - even * shifted;
    correct[lane] = select(0.0, 1.0, best == label);
}
