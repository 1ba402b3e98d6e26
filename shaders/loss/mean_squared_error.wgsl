// Mean squared error.
#import elementwise_loss

struct Params {
    outputs: u32,
    lanes: u32,
}

fn compared(o: u32, y: f32, t: f32) -> vec2<f32> {
    let error = y - t;
    return vec2(error * error, 2.0 * error);
}
