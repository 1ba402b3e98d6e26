struct Params {
    length: u32,
    error: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
@group(0) @binding(3) var<storage, read_write> count: array<u32>;

@compute @workgroup_size(64)
fn wrong(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < params.length {
        output[id.x] = input[id.x] * (1.0 + params.error);
    }
    if id.x == 0u {
        count[0] = params.length + u32(params.error != 0.0);
    }
}
