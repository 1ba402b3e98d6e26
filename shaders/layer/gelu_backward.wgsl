// GELU's backward pass, delta (Phi(x) + x phi(x)).
#import activation_backward
#import normal

fn gradient(x: vec4<f32>, delta: vec4<f32>) -> vec4<f32> {
    let n = normal(x);
    return delta * (n.distribution + x * n.density);
}
