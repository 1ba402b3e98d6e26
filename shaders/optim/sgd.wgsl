// SGD with momentum, four weights per invocation. Bound by memory: three arrays read, two written.
#import grid
#import sgd

const WORKGROUP = 64u;

struct Params {
    vectors: u32,
    momentum: f32,
    weight_decay: f32,
    nesterov: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> weights: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> velocity: array<vec4<f32>>;

@compute @workgroup_size(WORKGROUP)
fn sgd(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i >= params.vectors {
        return;
    }
    let next = moved(gradient[i], weights[i], velocity[i]);
    velocity[i] = next.velocity;
    weights[i] = next.weights;
}
