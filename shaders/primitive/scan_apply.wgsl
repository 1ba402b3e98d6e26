// Exclusive scan in place of blocks of 2048 values, starting from the scanned sums of the blocks.
#import grid
#import workgroup_scan

const PER_INVOCATION = 8u;

struct Params {
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<u32>; // [blocks]
@group(0) @binding(2) var<storage, read_write> values: array<u32>; // [length]

@compute @workgroup_size(256)
fn scan_apply(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let block = flat_group(group, groups);
    let first = (block * SCAN_WIDTH + index) * PER_INVOCATION;
    var held: array<u32, PER_INVOCATION>;
    var sum = 0u;
    for (var i = 0u; i < PER_INVOCATION; i++) {
        held[i] = 0u;
        if first + i < params.length {
            held[i] = values[first + i];
        }
        sum += held[i];
    }
    var before = workgroup_scan(index, sum);
    if first < params.length {
        before += sums[block];
    }
    for (var i = 0u; i < PER_INVOCATION; i++) {
        if first + i < params.length {
            values[first + i] = before;
        }
        before += held[i];
    }
}
