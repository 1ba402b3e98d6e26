// A step by two moments, small for young numbers. One vec4 per invocation. Bound by memory.
#import grid
#import step

const WORKGROUP = 256u;

struct Params {
    vectors: u32,
    beta1: f32,
    beta2: f32,
    grown_up: f32, // the age from which on a number takes whole steps
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>; // [vectors]
@group(0) @binding(3) var<storage, read_write> weights: array<vec4<f32>>; // [vectors]
@group(0) @binding(4) var<storage, read_write> first: array<vec4<f32>>; // [vectors]
@group(0) @binding(5) var<storage, read_write> second: array<vec4<f32>>; // [vectors]
@group(0) @binding(6) var<storage, read_write> age: array<vec4<u32>>; // [vectors]

@compute @workgroup_size(WORKGROUP)
fn aged(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * WORKGROUP + lane;
    if i >= params.vectors {
        return;
    }
    let g = gradient[i];
    let m = params.beta1 * first[i] + (1.0 - params.beta1) * g;
    let v = params.beta2 * second[i] + (1.0 - params.beta2) * g * g;
    let years = age[i] + vec4(1u);
    let part = min(vec4<f32>(years) / params.grown_up, vec4(1.0));
    weights[i] -= step.learning_rate * part * m / (sqrt(v) + 1e-3);
    first[i] = m;
    second[i] = v;
    age[i] = years;
}
