// ReLU's backward pass, from the sign of its input or output.
#import activation_backward

fn gradient(x: vec4<f32>, delta: vec4<f32>) -> vec4<f32> {
    // What is neither above zero nor at most zero is NaN.
    return select(select(x, vec4(0.0), x <= vec4(0.0)), delta, x > vec4(0.0));
}
