// AdamW with an age for each number, four of them per invocation. Bound by memory: five arrays read, four written.
#import grid
#import adamw

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
    let next = moved(gradient[i], weights[i], first[i], second[i], age[i]);
    weights[i] = next.weights;
    first[i] = next.first;
    second[i] = next.second;
    age[i] = next.age;
}
