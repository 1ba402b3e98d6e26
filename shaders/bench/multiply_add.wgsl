// Arithmetic alone: eight independent chains of multiply-add per invocation, in registers.
// Eight are what two vector units of four cycles' latency need; more would spill where there are 16 registers.
#import grid

const SIZE = 64u;

struct Params {
    vectors: u32,
    iterations: u32,
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
    // Every component starts elsewhere: element e of the output at e mod 64 and, negated, at e mod 64 + 1.
    let element = vec4(at * 4u) + vec4(0u, 1u, 2u, 3u);
    let start = vec4<f32>(element & vec4(63u));
    var a = start;
    var b = -start - vec4(1.0);
    let factor = vec4(params.factor);
    let summand = vec4(params.summand);
    for (var i = 0u; i < params.iterations; i++) {
        a = a * factor + summand;
        b = b * factor + summand;
    }
    output[at] = a + b;
}
