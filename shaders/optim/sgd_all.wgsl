// sgd for connections, biases and dense parameters in one dispatch: each of the three by itself would wait for the one
// before. The groups follow each other in the grid.
#import grid
#import sgd

const WORKGROUP = 64u;

struct Params {
    connections: u32, // vectors, as the next two
    biases: u32,
    dense: u32,
    momentum: f32,
    weight_decay: f32,
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>; // [connections]
@group(0) @binding(3) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> velocity: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> bias_gradient: array<vec4<f32>>; // [biases]
@group(0) @binding(6) var<storage, read_write> bias: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> bias_velocity: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read> dense_gradient: array<vec4<f32>>; // [dense]
@group(0) @binding(9) var<storage, read_write> dense: array<vec4<f32>>;
@group(0) @binding(10) var<storage, read_write> dense_velocity: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn sgd_all(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    var i = flat_group(group, groups) * WORKGROUP + lane;
    if i < params.connections {
        let next = moved(gradient[i], weights[i], velocity[i]);
        velocity[i] = next.velocity;
        weights[i] = next.weights;
        return;
    }
    i -= params.connections;
    if i < params.biases {
        let next = moved(bias_gradient[i], bias[i], bias_velocity[i]);
        bias_velocity[i] = next.velocity;
        bias[i] = next.weights;
        return;
    }
    i -= params.biases;
    if i < params.dense {
        let next = moved(dense_gradient[i], dense[i], dense_velocity[i]);
        dense_velocity[i] = next.velocity;
        dense[i] = next.weights;
    }
}
