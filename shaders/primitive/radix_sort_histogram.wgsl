// How often each of 256 digits occurs in each block of 2048 keys.
#import grid

const WIDTH = 128u;
const PER_INVOCATION = 16u;
const DIGITS = 256u;

struct Params {
    length: u32,
    shift: u32,
    mask: u32, // of the digit's bits, once shifted
    blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> keys: array<u32>; // [length]
@group(0) @binding(2) var<storage, read_write> histogram: array<u32>; // [DIGITS][blocks]

// Integers, whose sum is the same in any order.
var<workgroup> counts: array<atomic<u32>, DIGITS>;

@compute @workgroup_size(128)
fn radix_sort_histogram(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let block = flat_group(group, groups);
    for (var d = index; d < DIGITS; d += WIDTH) {
        atomicStore(&counts[d], 0u);
    }
    workgroupBarrier();
    for (var i = 0u; i < PER_INVOCATION; i++) {
        let at = (block * PER_INVOCATION + i) * WIDTH + index;
        if at < params.length {
            atomicAdd(&counts[(keys[at] >> params.shift) & params.mask], 1u);
        }
    }
    workgroupBarrier();
    if block < params.blocks {
        for (var d = index; d <= params.mask; d += WIDTH) {
            histogram[d * params.blocks + block] = atomicLoad(&counts[d]);
        }
    }
}
