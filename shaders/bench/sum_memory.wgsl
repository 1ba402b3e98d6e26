// Sums over a workgroup in the way that works everywhere: a tree in workgroup memory, with a barrier after each level.
#import grid

const SIZE = 256u;

struct Params {
    groups: u32,
    rounds: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>; // [groups]

var<workgroup> values: array<u32, SIZE>;

fn sum(lane: u32, x: u32) -> u32 {
    values[lane] = x;
    workgroupBarrier();
    for (var half = SIZE / 2u; half > 0u; half /= 2u) {
        if lane < half {
            values[lane] += values[lane + half];
        }
        workgroupBarrier();
    }
    let total = values[0];
    workgroupBarrier();
    return total;
}

@compute @workgroup_size(SIZE)
fn sum_memory(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = flat_group(group, groups);
    // Each sum enters the next one's numbers, so that none can be left out.
    var total = at << 8u;
    for (var r = 0u; r < params.rounds; r++) {
        total = sum(lane, (total >> 8u) + lane);
    }
    if lane == 0u && at < params.groups {
        output[at] = total;
    }
}
