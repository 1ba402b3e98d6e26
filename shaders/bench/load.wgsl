// Storage loads in the shape of the sparse products: the lanes of a row add up rows of `input`, whole and vec4 at a
// time. Which rows comes from a linear congruential sequence in a register, so that nothing but the loads is waited
// for.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1 or 4

struct Params {
    rows: u32,
    vectors: u32,
    input_rows: u32, // at most 65,536
    terms: u32,
    multiplier: u32,
    increment: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [input_rows][vectors]
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>; // [rows][vectors]

// The high half of the state as a fraction of `input_rows`.
fn row_of(state: u32) -> u32 {
    return ((state >> 16u) * params.input_rows) >> 16u;
}

@compute @workgroup_size(LANES, ROWS)
fn load(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let unit = flat_group(group, groups) * ROWS + local.y;
    if unit >= params.rows {
        return;
    }
    let seed = unit * 2654435761u;
    let vectors = params.vectors;
    let terms = params.terms;

    var first = 0u;
    if VECTORS == 4u {
        for (; first + 4u * LANES <= vectors; first += 4u * LANES) {
            let v = first + local.x;
            var state = seed;
            var s0 = vec4(0.0);
            var s1 = vec4(0.0);
            var s2 = vec4(0.0);
            var s3 = vec4(0.0);
            for (var t = 0u; t < terms; t++) {
                let at = row_of(state) * vectors + v;
                state = state * params.multiplier + params.increment;
                s0 += input[at];
                s1 += input[at + LANES];
                s2 += input[at + 2u * LANES];
                s3 += input[at + 3u * LANES];
            }
            let at = unit * vectors + v;
            output[at] = s0;
            output[at + LANES] = s1;
            output[at + 2u * LANES] = s2;
            output[at + 3u * LANES] = s3;
        }
    }
    for (var v = first + local.x; v < vectors; v += LANES) {
        var state = seed;
        var s = vec4(0.0);
        for (var t = 0u; t < terms; t++) {
            s += input[row_of(state) * vectors + v];
            state = state * params.multiplier + params.increment;
        }
        output[unit * vectors + v] = s;
    }
}
