// The same sums as in sum_memory, with subgroups: each adds up its own lanes, and their few results meet in workgroup
// memory.
#require subgroups
#import grid

const SIZE = 256u;

struct Params {
    groups: u32,
    rounds: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>; // [groups]

var<workgroup> values: array<u32, SIZE>;

fn sum(lane: u32, subgroup: u32, subgroups: u32, x: u32) -> u32 {
    let part = subgroupAdd(x);
    if subgroups == 1u {
        return part;
    }
    // All invocations of a subgroup write the same number.
    values[subgroup] = part;
    workgroupBarrier();
    var total = 0u;
    for (var s = 0u; s < subgroups; s++) {
        total += values[s];
    }
    workgroupBarrier();
    return total;
}

@compute @workgroup_size(SIZE)
fn sum_subgroups(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(subgroup_id) subgroup: u32,
    @builtin(num_subgroups) subgroups: u32,
) {
    let at = flat_group(group, groups);
    // Each sum enters the next one's numbers, so that none can be left out.
    var total = at << 8u;
    for (var r = 0u; r < params.rounds; r++) {
        total = sum(lane, subgroup, subgroups, (total >> 8u) + lane);
    }
    if lane == 0u && at < params.groups {
        output[at] = total;
    }
}
