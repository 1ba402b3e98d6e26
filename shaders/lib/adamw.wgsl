// A step of AdamW, with an age for each number, for four of them.
#import step

// 1 - exp(x) for x <= 0. Near 0 the difference would lose digits, so a series is used there.
fn rest_of_exp(x: vec4<f32>) -> vec4<f32> {
    let sixth = x * (1.0 + x * (1.0 / 7.0) * (1.0 + x * 0.125));
    let third = x * 0.25 * (1.0 + x * 0.2 * (1.0 + sixth * (1.0 / 6.0)));
    let series = -x * (1.0 + x * 0.5 * (1.0 + x * (1.0 / 3.0) * (1.0 + third)));
    return select(1.0 - exp(x), series, x > vec4(-0.5));
}

// The new numbers, their moments and their ages.
struct Moved {
    weights: vec4<f32>,
    first: vec4<f32>,
    second: vec4<f32>,
    age: vec4<u32>,
}

fn moved(g: vec4<f32>, weights: vec4<f32>, first: vec4<f32>, second: vec4<f32>, age: vec4<u32>) -> Moved {
    let m = params.beta1 * first + params.rest1 * g;
    let v = params.beta2 * second + params.rest2 * g * g;
    let years = age + vec4(1u);
    let steps = vec4<f32>(select(vec4(step.step + 1u), years, vec4(params.by_age != 0u)));
    let mean = m / rest_of_exp(steps * params.log_beta1);
    let square = v / rest_of_exp(steps * params.log_beta2);
    let kept = weights * (1.0 - step.learning_rate * params.weight_decay);
    return Moved(kept - step.learning_rate * mean / (sqrt(square) + params.epsilon), m, v, years);
}
