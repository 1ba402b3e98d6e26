// A step of SGD with momentum for four numbers.
#import step

// The new numbers and their velocity.
struct Moved {
    weights: vec4<f32>,
    velocity: vec4<f32>,
}

fn moved(gradient: vec4<f32>, weights: vec4<f32>, velocity: vec4<f32>) -> Moved {
    let g = gradient + params.weight_decay * weights;
    let v = params.momentum * velocity + g;
    let direction = select(v, g + params.momentum * v, vec4(params.nesterov != 0u));
    return Moved(weights - step.learning_rate * direction, v);
}
