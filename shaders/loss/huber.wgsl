// Huber's loss: half the square of an error up to `threshold`, linear beyond it.
#import elementwise_loss

struct Params {
    outputs: u32,
    lanes: u32,
    threshold: f32,
}

fn compared(o: u32, y: f32, t: f32) -> vec2<f32> {
    let error = y - t;
    // The derivative; in both branches it also gives the loss.
    let slope = clamp(error, -params.threshold, params.threshold);
    return vec2(slope * (error - 0.5 * slope), slope);
}
