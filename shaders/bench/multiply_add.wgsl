// Arithmetic only: sixteen independent chains of multiply-add per invocation, in registers, which is enough to hide
// their latency.
#import grid

const SIZE = 64u;
// The drivers' compilers unroll a loop of this many steps, because counting costs more than a step.
const UNROLLED = 8u;

struct Params {
    vectors: u32,
    iterations: u32, // a multiple of UNROLLED
    factor: f32,
    summand: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<vec4<f32>>; // [vectors]

@compute @workgroup_size(SIZE)
fn multiply_add(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = flat_group(group, groups) * SIZE + lane;
    if at >= params.vectors {
        return;
    }
    let element = vec4(at * 4u) + vec4(0u, 1u, 2u, 3u);
    var a = vec4<f32>(element & vec4(63u));
    var b = a + vec4(1.0);
    var c = a + vec4(2.0);
    var d = a + vec4(3.0);
    let factor = vec4(params.factor);
    let summand = vec4(params.summand);
    for (var i = 0u; i < params.iterations; i += UNROLLED) {
        for (var u = 0u; u < UNROLLED; u++) {
            a = a * factor + summand;
            b = b * factor + summand;
            c = c * factor + summand;
            d = d * factor + summand;
        }
    }
    output[at] = (a + b) + (c + d);
}
