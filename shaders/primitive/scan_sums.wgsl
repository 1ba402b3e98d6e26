// Exclusive scan of a short array in place, by one workgroup: each invocation takes one consecutive chunk.
#import workgroup_scan

struct Params {
    length: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> sums: array<u32>; // [length]

@compute @workgroup_size(256)
fn scan_sums(@builtin(local_invocation_index) index: u32) {
    let chunk = (params.length + SCAN_WIDTH - 1u) / SCAN_WIDTH;
    let first = min(index * chunk, params.length);
    let end = min(first + chunk, params.length);
    var sum = 0u;
    for (var i = first; i < end; i++) {
        sum += sums[i];
    }
    var before = workgroup_scan(index, sum);
    for (var i = first; i < end; i++) {
        let value = sums[i];
        sums[i] = before;
        before += value;
    }
}
