// Batch norm's statistics in an evaluation: those kept during training. One invocation per channel.
#import grid

const WORKGROUP = 64u;

struct Params {
    channels: u32,
    mean: u32, // where the channels' running means start
    variance: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> running: array<f32>;
@group(0) @binding(2) var<storage, read_write> saved: array<f32>; // [2][channels]: mean, 1 / standard deviation

@compute @workgroup_size(WORKGROUP)
fn batch_norm_running(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let c = flat_group(group, groups) * WORKGROUP + lane;
    if c >= params.channels {
        return;
    }
    saved[c] = running[params.mean + c];
    saved[params.channels + c] = 1.0 / sqrt(running[params.variance + c] + params.epsilon);
}
