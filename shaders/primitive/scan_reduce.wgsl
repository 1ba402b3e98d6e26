// Sums of blocks of 2048 values: the first of the three kernels of a scan.
#import grid
#import workgroup_scan

const PER_INVOCATION = 8u;

struct Params {
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<u32>; // [length]
@group(0) @binding(2) var<storage, read_write> sums: array<u32>; // [blocks]

@compute @workgroup_size(256)
fn scan_reduce(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let block = flat_group(group, groups);
    // Interleaved, so that neighbours read neighbours.
    let first = block * SCAN_WIDTH * PER_INVOCATION + index;
    var sum = 0u;
    for (var i = 0u; i < PER_INVOCATION; i++) {
        let at = first + i * SCAN_WIDTH;
        if at < params.length {
            sum += values[at];
        }
    }
    let before = workgroup_scan(index, sum);
    if index == SCAN_WIDTH - 1u && block * SCAN_WIDTH * PER_INVOCATION < params.length {
        sums[block] = before + sum;
    }
}
