// adamw for connections, biases and dense parameters in one dispatch, like sgd_all.
#import grid
#import adamw

const WORKGROUP = 64u;

struct Params {
    connections: u32, // vectors, as the next two
    biases: u32,
    dense: u32,
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
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>; // [connections]
@group(0) @binding(3) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> second: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> age: array<vec4<u32>>;
@group(0) @binding(7) var<storage, read> bias_gradient: array<vec4<f32>>; // [biases]
@group(0) @binding(8) var<storage, read_write> bias: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> bias_first: array<vec4<f32>>;
@group(0) @binding(10) var<storage, read_write> bias_second: array<vec4<f32>>;
@group(0) @binding(11) var<storage, read_write> bias_age: array<vec4<u32>>;
@group(0) @binding(12) var<storage, read> dense_gradient: array<vec4<f32>>; // [dense]
@group(0) @binding(13) var<storage, read_write> dense: array<vec4<f32>>;
@group(0) @binding(14) var<storage, read_write> dense_first: array<vec4<f32>>;
@group(0) @binding(15) var<storage, read_write> dense_second: array<vec4<f32>>;
@group(0) @binding(16) var<storage, read_write> dense_age: array<vec4<u32>>;

@compute @workgroup_size(WORKGROUP)
fn adamw_all(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    var i = flat_group(group, groups) * WORKGROUP + lane;
    if i < params.connections {
        let next = moved(gradient[i], weights[i], first[i], second[i], age[i]);
        weights[i] = next.weights;
        first[i] = next.first;
        second[i] = next.second;
        age[i] = next.age;
        return;
    }
    i -= params.connections;
    if i < params.biases {
        let next = moved(bias_gradient[i], bias[i], bias_first[i], bias_second[i], bias_age[i]);
        bias[i] = next.weights;
        bias_first[i] = next.first;
        bias_second[i] = next.second;
        bias_age[i] = next.age;
        return;
    }
    i -= params.biases;
    if i < params.dense {
        let next = moved(dense_gradient[i], dense[i], dense_first[i], dense_second[i], dense_age[i]);
        dense[i] = next.weights;
        dense_first[i] = next.first;
        dense_second[i] = next.second;
        dense_age[i] = next.age;
    }
}
