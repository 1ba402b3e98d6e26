// SDDMM of a convolution: several workgroups per output channel share its pairs, and its lines of positions if these
// are split into slices. In both shapes all invocations are spread over positions and batch, each vector of delta is
// loaded once for several pairs, and they add up through workgroup memory. Hardware takes two places at a time, and
// drops what it loads for taps outside the plane; a software adapter branches around such loads.
#import grid
#import part
#import divide
#import tap
#import window
#import conv_positions

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override VECTORS: u32 = 4u; // 1: without branches around loads

// Software shape: pairs that share the loads of delta.
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
    slices: u32, // of the output's lines; each has gradients of its own
    stride: u32, // from one's to the next's
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(2) var<storage, read> cols: array<u32>; // [pairs]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(4) var<storage, read> delta: array<vec4<f32>>; // [rows][output_y][output_x][vectors]
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>; // [slices][stride], or [pairs]

// What a sum over positions takes from the input: the value there.
struct Seen {
    channel: u32,
}

fn seen_of(channel: u32) -> Seen {
    return Seen(channel);
}

fn taken(x: vec4<f32>, v: u32, seen: Seen) -> vec4<f32> {
    return x;
}

// One term of the sum for the pair that sees this, at one place: delta there times what the pair's tap sees, if that is
// inside.
fn product(d: vec4<f32>, s: Source, y: u32, x: u32, v: u32) -> vec4<f32> {
    if y + s.y < params.window.input_y && x + s.x < params.window.input_x {
        return d * input[(s.at + y * params.window.input_x + x) * params.vectors + v];
    }
    return vec4(0.0);
}

// Every `chunks`-th block of pairs, starting at `begin`.
fn over_pairs(share: Share, begin: u32, end: u32, lane: u32) {
    let span = part.end - part.begin;
    let items = params.window.output_x * span;
    let step_x = LANES / span;
    let step_v = LANES % span;
    for (var first = begin; first < end; first += PAIRS * part.chunks) {
        let last = end - 1u;
        let s0 = source_of(first);
        let s1 = source_of(min(first + 1u, last));
        let s2 = source_of(min(first + 2u, last));
        let s3 = source_of(min(first + 3u, last));
        let pairs = end - first;
        var sum0 = vec4(0.0);
        var sum1 = vec4(0.0);
        var sum2 = vec4(0.0);
        var sum3 = vec4(0.0);
        for (var y = share.begin_y; y < share.end_y; y++) {
            let input_y = y * params.window.stride_y;
            let line = (share.unit * params.window.output_y + y) * params.window.output_x;
            var x = lane / span;
            var v = lane % span;
            for (var i = lane; i < items; i += LANES) {
                let at = part.begin + v;
                let input_x = x * params.window.stride_x;
                let d = delta[(line + x) * params.vectors + at];
                sum0 += product(d, s0, input_y, input_x, at);
                if pairs > 1u {
                    sum1 += product(d, s1, input_y, input_x, at);
                }
                if pairs > 2u {
                    sum2 += product(d, s2, input_y, input_x, at);
                }
                if pairs > 3u {
                    sum3 += product(d, s3, input_y, input_x, at);
                }
                x += step_x;
                v += step_v;
                if v >= span {
                    v -= span;
                    x += 1u;
                }
            }
        }
        partial[lane] = total(sum0);
        partial[PITCH + lane] = total(sum1);
        partial[2u * PITCH + lane] = total(sum2);
        partial[3u * PITCH + lane] = total(sum3);
        workgroupBarrier();
        for (var t = lane; t < min(PAIRS, pairs); t += LANES) {
            var sum = 0.0;
            for (var k = 0u; k < LANES; k++) {
                sum += partial[t * PITCH + k];
            }
            put_pair(first + t, share, sum);
        }
        workgroupBarrier();
    }
}

@compute @workgroup_size(LANES, ROWS)
fn conv_sddmm(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let share = share_of(flat_group(group, groups));
    if share.unit >= params.rows {
        return;
    }
    let begin = row_offsets[params.first_row + share.unit];
    let end = row_offsets[params.first_row + share.unit + 1u];
    if VECTORS == 1u {
        over_positions(share, begin, end, index);
    } else {
        over_pairs(share, begin + share.chunk * PAIRS, end, index);
    }
}
