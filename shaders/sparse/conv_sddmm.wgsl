// SDDMM of a convolution: some workgroups per output channel share its pairs. Two shapes, by the adapter: hardware lays
// all its invocations over a pair's positions and batch, so that loads are coalesced, and adds up through workgroup
// memory; a software adapter lays its lanes over the pairs, holding a position's delta in registers, since barriers
// cost it dearly.
#import grid
#import part
#import divide
#import tap
#import window
#import conv_positions

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: invocations over positions and batch; 4: lanes over the pairs

// Software. Vectors of delta, and pairs, that an invocation holds at a time.
const HELD = 32u;
const PAIRS = 4u;

struct Params {
    window: Window,
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    accumulate: u32, // 1: add to what is there
    inverse_vectors: f32,
    cols: u32, // no row has more pairs
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [pairs]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(4) var<storage, read> delta: array<vec4<f32>>; // [rows][output_y][output_x][vectors]
@group(0) @binding(5) var<storage, read_write> output: array<f32>; // [pairs]

// What a sum over positions takes of the input: what is there.
struct Seen {
    channel: u32,
}

fn seen_of(channel: u32) -> Seen {
    return Seen(channel);
}

fn taken(x: vec4<f32>, v: u32, seen: Seen) -> vec4<f32> {
    return x;
}

// Every `chunks`-th block of pairs from `begin` on.
fn over_pairs(unit: u32, begin: u32, end: u32, lane: u32) {
    let vectors = params.vectors;
    for (var first = begin; first < end; first += LANES * PAIRS * part.chunks) {
        let pairs = min(PAIRS, (end - first + LANES - 1u) / LANES);
        var at: array<u32, PAIRS>;
        var tap_y: array<u32, PAIRS>;
        var tap_x: array<u32, PAIRS>;
        var sums: array<vec4<f32>, PAIRS>;
        for (var t = 0u; t < pairs; t++) {
            let j = first + t * LANES + lane;
            // A lane without a pair never sees the input.
            tap_y[t] = 0x80000000u;
            if j < end {
                let s = source_of(j);
                at[t] = s.at;
                tap_y[t] = s.y;
                tap_x[t] = s.x;
            }
            sums[t] = vec4(0.0);
        }
        for (var y = part.begin_y; y < part.end_y; y++) {
            let input_y = y * params.window.stride_y;
            for (var x = 0u; x < params.window.output_x; x++) {
                let input_x = x * params.window.stride_x;
                let on = input_y * params.window.input_x + input_x;
                let delta_at = ((unit * params.window.output_y + y) * params.window.output_x + x) * vectors;
                for (var block = part.begin; block < part.end; block += HELD) {
                    let held = min(HELD, part.end - block);
                    var d: array<vec4<f32>, HELD>;
                    for (var v = 0u; v < held; v++) {
                        d[v] = delta[delta_at + block + v];
                    }
                    for (var t = 0u; t < pairs; t++) {
                        if input_y + tap_y[t] < params.window.input_y && input_x + tap_x[t] < params.window.input_x {
                            let source = (at[t] + on) * vectors + block;
                            var sum = vec4(0.0);
                            for (var v = 0u; v < held; v++) {
                                sum += d[v] * input[source + v];
                            }
                            sums[t] += sum;
                        }
                    }
                }
            }
        }
        for (var t = 0u; t < pairs; t++) {
            let j = first + t * LANES + lane;
            if j < end {
                let sum = sums[t];
                put(j, (sum.x + sum.y) + (sum.z + sum.w));
            }
        }
    }
}

@compute @workgroup_size(LANES, ROWS)
fn conv_sddmm(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let flat = flat_group(group, groups);
    let unit = flat / part.chunks;
    let chunk = flat % part.chunks;
    if unit >= params.rows {
        return;
    }
    let begin = row_offsets[params.first_row + unit];
    let end = row_offsets[params.first_row + unit + 1u];
    if VECTORS == 1u {
        over_positions(unit, begin + chunk, end, index);
    } else {
        over_pairs(unit, begin + chunk * LANES * PAIRS, end, index);
    }
}
