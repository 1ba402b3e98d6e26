// Batch norm's statistics, second half: merges each channel's tiles, in order. One invocation per channel.
#import grid
#import step

const WORKGROUP = 64u;

struct Params {
    channels: u32,
    positions: u32,
    tile: u32, // positions
    tiles: u32, // of a plane
    mean: u32, // where the channels' running means start
    variance: u32,
    epsilon: f32,
    momentum: f32,
    update: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> parts: array<f32>; // [channels][tiles][2]: mean, squared differences
@group(0) @binding(3) var<storage, read_write> running: array<f32>;
@group(0) @binding(4) var<storage, read_write> saved: array<f32>; // [2][channels]: mean, 1 / standard deviation

@compute @workgroup_size(WORKGROUP)
fn batch_norm_merge(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let c = flat_group(group, groups) * WORKGROUP + lane;
    if c >= params.channels {
        return;
    }
    var n = 0.0;
    var mean = 0.0;
    var squares = 0.0;
    for (var t = 0u; t < params.tiles; t++) {
        let at = 2u * (c * params.tiles + t);
        let rows = min(params.tile, params.positions - t * params.tile);
        let more = f32(rows * step.count);
        let total = n + more;
        let d = parts[at] - mean;
        mean += d * (more / total);
        squares += parts[at + 1u] + d * d * (n * (more / total));
        n = total;
    }
    let variance = squares / n;
    saved[c] = mean;
    saved[params.channels + c] = 1.0 / sqrt(variance + params.epsilon);
    if params.update != 0u {
        let unbiased = squares / max(n - 1.0, 1.0);
        let at_mean = params.mean + c;
        let at_variance = params.variance + c;
        running[at_mean] = (1.0 - params.momentum) * running[at_mean] + params.momentum * mean;
        running[at_variance] = (1.0 - params.momentum) * running[at_variance] + params.momentum * unbiased;
    }
}
