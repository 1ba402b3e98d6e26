// Average pooling: zeros of the padding count in the mean.
#import pool_forward

fn initial() -> vec4<f32> {
    return vec4(0.0);
}

fn with_input(sum: vec4<f32>, x: vec4<f32>) -> vec4<f32> {
    return sum + x;
}

fn finished(sum: vec4<f32>) -> vec4<f32> {
    return sum * params.window.inverse_taps;
}
