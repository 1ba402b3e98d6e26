// One pass of a stable radix sort: moves each key and its value behind those with a smaller digit, and behind those
// of the same digit that come before it.
#import grid

const WIDTH = 128u;
const PER_INVOCATION = 16u;
const DIGITS = 16u;

struct Params {
    length: u32,
    shift: u32,
    blocks: u32,
    indices: u32, // 1: a key's value is its index, `values` is not read
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> bases: array<u32>; // [DIGITS][blocks], scanned
@group(0) @binding(2) var<storage, read> keys: array<u32>; // [length]
@group(0) @binding(3) var<storage, read> values: array<u32>; // [length]
@group(0) @binding(4) var<storage, read_write> sorted_keys: array<u32>; // [length]
@group(0) @binding(5) var<storage, read_write> sorted_values: array<u32>; // [length]

var<workgroup> counts: array<u32, 2048>; // [DIGITS][WIDTH]
var<workgroup> sums: array<u32, WIDTH>;

@compute @workgroup_size(128)
fn radix_sort_scatter(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let block = flat_group(group, groups);
    let first = (block * WIDTH + index) * PER_INVOCATION;
    let end = min(first + PER_INVOCATION, params.length);
    for (var d = 0u; d < DIGITS; d++) {
        counts[d * WIDTH + index] = 0u;
    }
    for (var at = first; at < end; at++) {
        let digit = (keys[at] >> params.shift) & (DIGITS - 1u);
        counts[digit * WIDTH + index] += 1u;
    }
    workgroupBarrier();
    // Scan within each digit: an invocation takes 16 counters in sequence, eight invocations make a digit.
    var sum = 0u;
    for (var i = 0u; i < DIGITS; i++) {
        sum += counts[index * DIGITS + i];
    }
    sums[index] = sum;
    workgroupBarrier();
    let team = WIDTH / DIGITS;
    var before = 0u;
    for (var i = index / team * team; i < index; i++) {
        before += sums[i];
    }
    for (var i = 0u; i < DIGITS; i++) {
        let count = counts[index * DIGITS + i];
        counts[index * DIGITS + i] = before;
        before += count;
    }
    workgroupBarrier();
    for (var at = first; at < end; at++) {
        let key = keys[at];
        let digit = (key >> params.shift) & (DIGITS - 1u);
        let counter = digit * WIDTH + index;
        let target_index = bases[digit * params.blocks + block] + counts[counter];
        counts[counter] += 1u;
        sorted_keys[target_index] = key;
        if params.indices != 0u {
            sorted_values[target_index] = at;
        } else {
            sorted_values[target_index] = values[at];
        }
    }
}
