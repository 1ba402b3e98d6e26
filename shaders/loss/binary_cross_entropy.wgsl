// Binary cross-entropy of each output's sigmoid, computed from the logit: no exponential overflows, and no logarithm is
// taken of a difference.
#import elementwise_loss

struct Params {
    outputs: u32,
    lanes: u32,
}

@group(0) @binding(6) var<storage, read> positive: array<f32>; // [outputs]: what a class counts where it applies

// log(1 + e), for e in [0, 1]: for small e, 1 + e has lost most of it.
fn log_above_one(e: f32) -> f32 {
    return select(log(1.0 + e), e * (1.0 - e * (0.5 - e / 3.0)), e < 1e-3);
}

fn compared(o: u32, y: f32, t: f32) -> vec2<f32> {
    let e = exp(-abs(y));
    let rest = log_above_one(e);
    // -log(1 - sigmoid) and -log(sigmoid); the sigmoid of y, and that of -y.
    let against = max(y, 0.0) + rest;
    let for_it = max(-y, 0.0) + rest;
    let large = 1.0 / (1.0 + e);
    let small = e * large;
    let sigmoid = select(small, large, y >= 0.0);
    let opposite = select(large, small, y >= 0.0);
    let weight = positive[o] * t;
    return vec2((1.0 - t) * against + weight * for_it, (1.0 - t) * sigmoid - weight * opposite);
}
