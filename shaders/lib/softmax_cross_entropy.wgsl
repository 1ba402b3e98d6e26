// Softmax and cross-entropy with label smoothing for one sample of the batch, and the gradient at its logits.
// Neighbouring invocations read neighbouring words of each class's row.
#import step
#import unfixed

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

// Writes the gradient; gives the loss, and 1 if the largest logit is the label's, otherwise 0.
fn loss_of(lane: u32) -> vec2<f32> {
    let classes = unfixed(params.classes, arrayLength(&logits));
    if lane >= step.count {
        for (var c = 0u; c < classes; c += 4u) {
            put(c, lane, 0.0);
            put(c + 1u, lane, 0.0);
            put(c + 2u, lane, 0.0);
            put(c + 3u, lane, 0.0);
        }
        return vec2(0.0);
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
    let loss = log_total - (1.0 - params.smoothing) * own - even * shifted;
    return vec2(loss, select(0.0, 1.0, best == label));
}
