// Sums over positions for the gradients of a convolution's pairs. A workgroup has a slice of an output channel's lines
// of positions, and takes one tile of its pairs at a time: all invocations are spread over positions and batch, so that
// loads are coalesced and delta is read once for the tile's pairs, and they add up through workgroup memory. The kernel
// supplies `taken`, the value that they take from the input.
#import part
#import divide
#import tap
#import window

// Pairs per tile; each of them is then added up in PARTS parts of at most 128 / PARTS.
const TILED = 4u;
const PARTS = 16u;
// Distance between two pairs' sums; a multiple of the parts that avoids bank conflicts in workgroup memory.
const PITCH = 144u;

var<workgroup> partial: array<f32, 576>; // TILED * PITCH
var<workgroup> part_sums: array<f32, 64>; // TILED * PARTS

// What a pair's input unit sees.
struct Source {
    channel: u32,
    // The input position seen from output position (0, 0); below the first it wraps around, and so do all sums with it.
    at: u32,
    // Its tap minus the padding: wraps around in the same way.
    y: u32,
    x: u32,
}

fn source_of(j: u32) -> Source {
    let tap = tap_of(cols[j] - params.first_col);
    let y = tap.y - params.window.padding_y;
    let x = tap.x - params.window.padding_x;
    return Source(tap.channel, (tap.channel * params.window.input_y + y) * params.window.input_x + x, y, x);
}

// A workgroup's unit, its number among the workgroups that share the unit's pairs, and its slice's lines in this piece.
struct Share {
    unit: u32,
    chunk: u32,
    slice: u32,
    begin_y: u32,
    end_y: u32,
}

fn share_of(group: u32) -> Share {
    let slice_of_unit = group / part.chunks;
    let unit = slice_of_unit / params.slices;
    let slice = slice_of_unit - unit * params.slices;
    let lines = (params.window.output_y + params.slices - 1u) / params.slices;
    let end = min((slice + 1u) * lines, params.window.output_y);
    return Share(
        unit,
        group - slice_of_unit * part.chunks,
        slice,
        min(slice * lines + part.begin_y, end),
        min(slice * lines + part.end_y, end),
    );
}

fn put_pair(j: u32, share: Share, sum: f32) {
    let to = share.slice * params.stride + j;
    // The pieces, each with some lines of positions or vectors, add to the previous one.
    let add = params.accumulate != 0u || part.begin_y > 0u || part.begin > 0u;
    gradient[to] = select(0.0, gradient[to], add) + sum;
}

// A tile's pairs. A missing pair repeats the last one.
struct Tile {
    // In words.
    at: vec4<u32>,
    y: vec4<u32>,
    x: vec4<u32>,
    seen_a: Seen,
    seen_b: Seen,
    seen_c: Seen,
    seen_d: Seen,
}

fn tile_of(first: u32, pairs: u32) -> Tile {
    let a = source_of(first);
    let b = source_of(first + min(1u, pairs - 1u));
    let c = source_of(first + min(2u, pairs - 1u));
    let d = source_of(first + min(3u, pairs - 1u));
    return Tile(
        vec4(a.at, b.at, c.at, d.at) * params.vectors,
        vec4(a.y, b.y, c.y, d.y),
        vec4(a.x, b.x, c.x, d.x),
        seen_of(a.channel),
        seen_of(b.channel),
        seen_of(c.channel),
        seen_of(d.channel),
    );
}

// A place in the slice, a number of three digits: line, position and vector. y and x are those of the input, and `at`
// is the address there, in words.
struct Walk {
    v: u32,
    x: u32,
    y: u32,
    at: u32,
}

// The increment from one place to the next, and the corrections at a carry: the lower digit's span is subtracted, and
// one of the next digit is added.
struct Step {
    on: Walk,
    span_x: u32,
    carry_v: u32,
    carry_x: u32,
}

// The place with this number in the lines. Exact, although the quotient is not rounded correctly, because it is only
// taken of the numbers of a workgroup's invocations.
fn place(index: u32) -> Walk {
    let line = params.window.output_x * params.vectors;
    let y = divide(index, 1.0 / f32(line));
    let x = divide(index - y * line, params.inverse_vectors);
    let v = index - y * line - x * params.vectors;
    let input_y = y * params.window.stride_y;
    let input_x = x * params.window.stride_x;
    return Walk(v, input_x, input_y, (input_y * params.window.input_x + input_x) * params.vectors + v);
}

fn step_of(width: u32) -> Step {
    let span_x = params.window.output_x * params.window.stride_x;
    return Step(
        place(width),
        span_x,
        (params.window.stride_x - 1u) * params.vectors,
        (params.window.stride_y * params.window.input_x - span_x) * params.vectors,
    );
}

fn next(walk: Walk, step: Step) -> Walk {
    var to = Walk(walk.v + step.on.v, walk.x + step.on.x, walk.y + step.on.y, walk.at + step.on.at);
    if to.v >= params.vectors {
        to.v -= params.vectors;
        to.x += params.window.stride_x;
        to.at += step.carry_v;
    }
    if to.x >= step.span_x {
        to.x -= step.span_x;
        to.y += params.window.stride_y;
        to.at += step.carry_x;
    }
    return to;
}

fn tile_sees(tile: Tile, walk: Walk) -> vec4<bool> {
    return (tile.y + walk.y < vec4(params.window.input_y)) & (tile.x + walk.x < vec4(params.window.input_x));
}

fn total(sum: vec4<f32>) -> f32 {
    return (sum.x + sum.y) + (sum.z + sum.w);
}

// One invocation's part of a tile's sums: every `width`-th vector of the slice. It takes two places at a time, whose
// ten loads are in flight together. For values outside the plane, the input's first position is loaded and dropped.
fn part_of_tile(share: Share, tile: Tile, index: u32, width: u32, step: Step) -> vec4<f32> {
    let line = params.window.output_x * params.vectors;
    let first = (share.unit * params.window.output_y + share.begin_y) * line;
    let places = (share.end_y - share.begin_y) * line;
    var p = place(index);
    let down = share.begin_y * params.window.stride_y;
    p.y += down;
    p.at += down * params.window.input_x * params.vectors;
    var a = vec4(0.0);
    var b = vec4(0.0);
    var c = vec4(0.0);
    var d = vec4(0.0);
    for (var i = index; i < places; i += 2u * width) {
        let q = next(p, step);
        let both = i + width < places;
        let sees_p = tile_sees(tile, p);
        let sees_q = tile_sees(tile, q) & vec4(both);
        let at_p = select(vec4(p.v), tile.at + p.at, sees_p);
        let at_q = select(vec4(p.v), tile.at + q.at, sees_q);
        let delta_p = delta[first + i];
        let delta_q = delta[first + select(i, i + width, both)];
        let a_p = input[at_p.x];
        let b_p = input[at_p.y];
        let c_p = input[at_p.z];
        let d_p = input[at_p.w];
        let a_q = input[at_q.x];
        let b_q = input[at_q.y];
        let c_q = input[at_q.z];
        let d_q = input[at_q.w];
        a = select(a, a + taken(a_p, p.v, tile.seen_a) * delta_p, sees_p.x);
        b = select(b, b + taken(b_p, p.v, tile.seen_b) * delta_p, sees_p.y);
        c = select(c, c + taken(c_p, p.v, tile.seen_c) * delta_p, sees_p.z);
        d = select(d, d + taken(d_p, p.v, tile.seen_d) * delta_p, sees_p.w);
        a = select(a, a + taken(a_q, q.v, tile.seen_a) * delta_q, sees_q.x);
        b = select(b, b + taken(b_q, q.v, tile.seen_b) * delta_q, sees_q.y);
        c = select(c, c + taken(c_q, q.v, tile.seen_c) * delta_q, sees_q.z);
        d = select(d, d + taken(d_q, q.v, tile.seen_d) * delta_q, sees_q.w);
        p = next(q, step);
    }
    return vec4(total(a), total(b), total(c), total(d));
}

// Every `chunks`-th tile of the unit's pairs. If one tile each would leave workgroups without work, tiles have fewer
// pairs.
fn over_positions(share: Share, begin: u32, end: u32, index: u32) {
    let width = LANES * ROWS;
    let step = step_of(width);
    let each = clamp((end - begin + part.chunks - 1u) / part.chunks, 1u, TILED);
    for (var first = begin + share.chunk * each; first < end; first += each * part.chunks) {
        let pairs = min(each, end - first);
        let sums = part_of_tile(share, tile_of(first, pairs), index, width, step);
        partial[index] = sums.x;
        partial[PITCH + index] = sums.y;
        partial[2u * PITCH + index] = sums.z;
        partial[3u * PITCH + index] = sums.w;
        workgroupBarrier();
        for (var i = index; i < TILED * PARTS; i += width) {
            let t = i / PARTS;
            var sum = 0.0;
            for (var k = i % PARTS; k < width; k += PARTS) {
                sum += partial[t * PITCH + k];
            }
            part_sums[i] = sum;
        }
        workgroupBarrier();
        for (var t = index; t < pairs; t += width) {
            var sum = 0.0;
            for (var k = 0u; k < PARTS; k++) {
                sum += part_sums[t * PARTS + k];
            }
            put_pair(first + t, share, sum);
        }
    }
}
