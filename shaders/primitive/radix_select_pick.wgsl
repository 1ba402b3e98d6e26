// The next eight bits of the last key to take in each segment, and how many to take of the items that share them.
#import grid
#import select_key
#import workgroup_scan

struct Params {
    segments: u32,
    shift: u32, // of these eight bits
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> histogram: array<u32>; // [segments][256]; zeroed for the next pass
@group(0) @binding(2) var<storage, read_write> state: array<u32>; // [segments][STATE_WORDS]

var<workgroup> left: u32;

@compute @workgroup_size(256)
fn radix_select_pick(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) digit: u32,
) {
    let segment = flat_group(group, groups);
    let real = segment < params.segments;
    var count = 0u;
    if real {
        count = histogram[segment * 256u + digit];
        histogram[segment * 256u + digit] = 0u;
        if digit == 0u {
            left = state[segment * STATE_WORDS + STATE_LEFT];
        }
    }
    let before = workgroup_scan(digit, count);
    // If there are none to take, no digit fits: the key stays as it is, and nothing lies below zero.
    if real && before < left && left <= before + count {
        state[segment * STATE_WORDS + STATE_KEY] |= digit << params.shift;
        state[segment * STATE_WORDS + STATE_LEFT] = left - before;
    }
}
