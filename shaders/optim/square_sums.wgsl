// Sums of squares of parts of an array: a workgroup sums every WORKGROUPS-th stretch of it, in a fixed order. Bound by
// memory.
#import grid

const LANES = 64u;

struct Params {
    vectors: u32,
    workgroups: u32,
    first: u32, // where this array's sums begin
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> numbers: array<vec4<f32>>; // [vectors]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>; // [.., workgroups, ..]

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn square_sums(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let own = flat_group(group, groups);
    var sum = 0.0;
    for (var i = own * LANES + lane; i < params.vectors; i += params.workgroups * LANES) {
        let four = numbers[i];
        sum += dot(four, four);
    }
    partial[lane] = sum;
    workgroupBarrier();
    if lane == 0u {
        for (var i = 1u; i < LANES; i++) {
            sum += partial[i];
        }
        sums[params.first + own] = sum;
    }
}
