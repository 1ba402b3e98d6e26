// GELU, x Phi(x).
#import activation
#import normal

fn activate(x: vec4<f32>) -> vec4<f32> {
    return x * normal(x).distribution;
}
