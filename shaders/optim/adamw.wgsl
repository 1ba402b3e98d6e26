// AdamW with an age for each number, four of them per invocation. Bound by memory: five arrays read, four written.
#import grid
#import step

const WORKGROUP = 64u;

struct Params {
    vectors: u32,
    beta1: f32,
    beta2: f32,
    rest1: f32, // 1 - beta1, rounded once
    rest2: f32,
    log_beta1: f32,
    log_beta2: f32,
    epsilon: f32,
    weight_decay: f32,
    by_age: u32, // 0: all count from the first step
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>; // [vectors]
@group(0) @binding(3) var<storage, read_write> weights: array<vec4<f32>>; // [vectors]
@group(0) @binding(4) var<storage, read_write> first: array<vec4<f32>>; // [vectors]
@group(0) @binding(5) var<storage, read_write> second: array<vec4<f32>>; // [vectors]
@group(0) @binding(6) var<storage, read_write> age: array<vec4<u32>>; // [vectors]

// 1 - exp(x) for x <= 0. Near 0 the difference would lose digits, so a series is used there.
fn rest_of_exp(x: vec4<f32>) -> vec4<f32> {
    let sixth = x * (1.0 + x * (1.0 / 7.0) * (1.0 + x * 0.125));
    let third = x * 0.25 * (1.0 + x * 0.2 * (1.0 + sixth * (1.0 / 6.0)));
    let series = -x * (1.0 + x * 0.5 * (1.0 + x * (1.0 / 3.0) * (1.0 + third)));
    return select(1.0 - exp(x), series, x > vec4(-0.5));
}

@compute @workgroup_size(WORKGROUP)
fn adamw(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i >= params.vectors {
        return;
    }
    let g = gradient[i];
    let m = params.beta1 * first[i] + params.rest1 * g;
    let v = params.beta2 * second[i] + params.rest2 * g * g;
    let years = age[i] + vec4(1u);
    let steps = vec4<f32>(select(vec4(step.step + 1u), years, vec4(params.by_age != 0u)));
    let mean = m / rest_of_exp(steps * params.log_beta1);
    let square = v / rest_of_exp(steps * params.log_beta2);
    let kept = weights[i] * (1.0 - step.learning_rate * params.weight_decay);
    weights[i] = kept - step.learning_rate * mean / (sqrt(square) + params.epsilon);
    first[i] = m;
    second[i] = v;
    age[i] = years;
}
