// The cost of a barrier: a workgroup passes its numbers on from invocation to invocation through workgroup memory. One
// barrier comes between writing and reading, and one before the next write.
const SIZE = 256u;

struct Params {
    rounds: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<u32>; // [SIZE]

var<workgroup> values: array<u32, SIZE>;

@compute @workgroup_size(SIZE)
fn exchange(@builtin(local_invocation_index) lane: u32) {
    var x = lane;
    for (var r = 0u; r < params.rounds; r++) {
        values[lane] = x;
        workgroupBarrier();
        x = values[(lane + 1u) % SIZE] + 1u;
        workgroupBarrier();
    }
    output[lane] = x;
}
