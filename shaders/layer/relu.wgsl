// ReLU.
#import activation

fn activate(x: vec4<f32>) -> vec4<f32> {
    // A NaN stays a NaN, so that a diverged run shows.
    return select(x, vec4(0.0), x < vec4(0.0));
}
