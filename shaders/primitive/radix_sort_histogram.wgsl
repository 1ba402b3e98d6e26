// How often each of 16 digits occurs in each block of 2048 keys.
#import grid

const WIDTH = 128u;
const PER_INVOCATION = 16u;
const DIGITS = 16u;

struct Params {
    length: u32,
    shift: u32,
    blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> keys: array<u32>; // [length]
@group(0) @binding(2) var<storage, read_write> histogram: array<u32>; // [DIGITS][blocks]

// A column an invocation, so that counting needs no atomics.
var<workgroup> counts: array<u32, 2048>; // [DIGITS][WIDTH]

@compute @workgroup_size(128)
fn radix_sort_histogram(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let block = flat_group(group, groups);
    for (var d = 0u; d < DIGITS; d++) {
        counts[d * WIDTH + index] = 0u;
    }
    for (var i = 0u; i < PER_INVOCATION; i++) {
        let at = (block * PER_INVOCATION + i) * WIDTH + index;
        if at < params.length {
            let digit = (keys[at] >> params.shift) & (DIGITS - 1u);
            counts[digit * WIDTH + index] += 1u;
        }
    }
    workgroupBarrier();
    // Eight invocations a digit; the first of them then adds the eight sums.
    var sum = 0u;
    for (var i = 0u; i < DIGITS; i++) {
        sum += counts[index * DIGITS + i];
    }
    workgroupBarrier();
    counts[index] = sum;
    workgroupBarrier();
    if index < DIGITS && block < params.blocks {
        var total = 0u;
        for (var i = 0u; i < WIDTH / DIGITS; i++) {
            total += counts[index * (WIDTH / DIGITS) + i];
        }
        histogram[index * params.blocks + block] = total;
    }
}
