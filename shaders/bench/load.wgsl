// Storage loads in the pattern of the sparse products: the lanes of a row add up whole rows of `input`, a vec4 at a
// time. A linear congruential sequence in registers chooses the rows, so that only the loads are waited for; on
// hardware, eight of them are in flight at once.
#import grid

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1 or 4

struct Params {
    rows: u32,
    vectors: u32,
    terms: u32,
    shift: u32,
    factor: u32,
    down: u32,
    multiplier: u32,
    increment: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [input_rows][vectors]
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>; // [rows][vectors]

// The row of the input that a state stands for.
fn row_of(state: u32) -> u32 {
    return ((state >> params.shift) * params.factor) >> params.down;
}

fn rows_of(states: vec4<u32>) -> vec4<u32> {
    return ((states >> vec4(params.shift)) * params.factor) >> vec4(params.down);
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
    // Four steps of the sequence in one.
    let by2 = params.multiplier * params.multiplier;
    let by4 = by2 * by2;
    let more = params.increment * (1u + params.multiplier) * (1u + by2);
    for (var v = first + local.x; v < vectors; v += LANES) {
        var state = seed;
        var s = vec4(0.0);
        var t = 0u;
        if VECTORS == 1u {
            let one = seed * params.multiplier + params.increment;
            let two = one * params.multiplier + params.increment;
            var states = vec4(seed, one, two, two * params.multiplier + params.increment);
            for (; t + 8u <= terms; t += 8u) {
                let a = rows_of(states) * vectors + v;
                states = states * by4 + more;
                let b = rows_of(states) * vectors + v;
                states = states * by4 + more;
                let x0 = input[a.x];
                let x1 = input[a.y];
                let x2 = input[a.z];
                let x3 = input[a.w];
                let x4 = input[b.x];
                let x5 = input[b.y];
                let x6 = input[b.z];
                let x7 = input[b.w];
                s += x0;
                s += x1;
                s += x2;
                s += x3;
                s += x4;
                s += x5;
                s += x6;
                s += x7;
            }
            state = states.x;
        }
        for (; t < terms; t++) {
            s += input[row_of(state) * vectors + v];
            state = state * params.multiplier + params.increment;
        }
        output[unit * vectors + v] = s;
    }
}
