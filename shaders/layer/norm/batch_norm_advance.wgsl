// Batch norms of a batch in parts: merges what the passes over the parts left, in the parts' order, and after the last
// part moves the running statistics, once a batch. Merged as in lib/norm_merge. One invocation per channel of any norm.
#import grid
#import step

const WORKGROUP = 64u;

struct Params {
    channels: u32,
    momentum: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> places: array<u32>; // [channels][3]: of the mean, of the variance; positions
@group(0) @binding(3) var<storage, read> part: array<f32>; // where `places` says: mean, variance
@group(0) @binding(4) var<storage, read_write> batch: array<f32>; // [channels][2]: mean, squared differences
@group(0) @binding(5) var<storage, read_write> running: array<f32>; // where `places` says: mean, variance

@compute @workgroup_size(WORKGROUP)
fn batch_norm_advance(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let c = flat_group(group, groups) * WORKGROUP + lane;
    if c >= params.channels {
        return;
    }
    let at_mean = places[3u * c];
    let at_variance = places[3u * c + 1u];
    let positions = places[3u * c + 2u];
    let more = f32(positions * step.count);
    var mean = part[at_mean];
    var squares = part[at_variance] * max(more - 1.0, 1.0);
    if step.first > 0u {
        let n = f32(positions * step.first);
        let before = batch[2u * c];
        let d = mean - before;
        let share = more / (n + more);
        mean = before + d * share;
        squares += batch[2u * c + 1u] + d * d * (n * share);
    }
    batch[2u * c] = mean;
    batch[2u * c + 1u] = squares;
    if step.first + step.count < step.total {
        return;
    }
    let unbiased = squares / max(f32(positions * step.total) - 1.0, 1.0);
    running[at_mean] = (1.0 - params.momentum) * running[at_mean] + params.momentum * mean;
    running[at_variance] = (1.0 - params.momentum) * running[at_variance] + params.momentum * unbiased;
}
