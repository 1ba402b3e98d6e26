// Sums over positions for the gradients of a convolution's pairs: all of a workgroup's invocations lie over a pair's
// positions and batch, so that loads are coalesced, and add up through workgroup memory. `taken` is what they take of the
// input, by the kernel.
#import part
#import divide
#import tap
#import window

// Pairs summed between two barriers; each of them is then added up in PARTS parts of at most 128 / PARTS.
const TILE = 8u;
const PARTS = 16u;
// Of a pair's sums; a multiple of the parts that keeps the workgroup memory's banks apart.
const PITCH = 144u;

var<workgroup> partial: array<f32, 1152>; // TILE * PITCH
var<workgroup> parts: array<f32, 128>; // TILE * PARTS

// What a pair's input unit sees.
struct Source {
    channel: u32,
    // The input position seen from output position (0, 0); wraps around below the first, as do all sums with it.
    at: u32,
    // Its tap, less the padding: wraps around likewise.
    y: u32,
    x: u32,
    // This piece's output positions where the tap lies inside the input.
    begin_y: u32,
    end_y: u32,
    begin_x: u32,
    end_x: u32,
}

fn source_of(j: u32) -> Source {
    let tap = tap_of(cols[j] - params.first_col);
    let y = tap.y - params.window.padding_y;
    let x = tap.x - params.window.padding_x;
    let rows = valid_y(tap.y);
    let columns = valid_x(tap.x);
    return Source(
        tap.channel,
        (tap.channel * params.window.input_y + y) * params.window.input_x + x,
        y,
        x,
        max(part.begin_y, rows.x),
        min(part.end_y, rows.y),
        columns.x,
        columns.y,
    );
}

fn put(j: u32, sum: f32) {
    // The pieces, each of some rows of positions or vectors, add to the one before.
    let add = params.accumulate != 0u || part.begin_y > 0u || part.begin > 0u;
    output[j] = select(0.0, output[j], add) + sum;
}

// A place in the box of positions where a pair's tap is valid: a number of three digits, y, x and vector. The first
// digit is in the places of input and delta alone.
struct Walk {
    v: u32,
    x: u32,
    input_at: u32,
    delta_at: u32,
}

// What is added to a place from one to the next, and what a carry corrects: the lower digit's span taken off, one of
// the next added.
struct Step {
    on: Walk,
    vectors: u32,
    positions: u32,
    carry_v: u32,
    input_carry: u32,
    delta_carry: u32,
}

fn next(walk: Walk, step: Step) -> Walk {
    var to = Walk(
        walk.v + step.on.v,
        walk.x + step.on.x,
        walk.input_at + step.on.input_at,
        walk.delta_at + step.on.delta_at,
    );
    if to.v >= step.vectors {
        to.v -= step.vectors;
        to.x += 1u;
        to.input_at += step.carry_v;
    }
    if to.x >= step.positions {
        to.x -= step.positions;
        to.input_at += step.input_carry;
        to.delta_at += step.delta_carry;
    }
    return to;
}

// One invocation's part of a pair's sum: every `width`-th vector of the box of positions where the tap is valid.
fn part_of_pair(unit: u32, j: u32, index: u32, width: u32) -> f32 {
    let s = source_of(j);
    if s.begin_y >= s.end_y || s.begin_x >= s.end_x {
        return 0.0;
    }
    let seen = seen_of(s.channel);
    let vectors = params.vectors;
    let positions = s.end_x - s.begin_x;
    let line = positions * vectors;
    let total = (s.end_y - s.begin_y) * line;
    // Exact, though the quotient is not rounded correctly, for it is taken of numbers up to 128 alone.
    let inverse_line = 1.0 / f32(line);
    let input_line = params.window.stride_y * params.window.input_x * vectors;
    let input_step = params.window.stride_x * vectors;
    let output_line = params.window.output_x * vectors;

    let step_y = divide(width, inverse_line);
    let step_x = divide(width - step_y * line, params.inverse_vectors);
    let step_v = width - step_y * line - step_x * vectors;
    let step = Step(
        Walk(
            step_v,
            step_x,
            step_y * input_line + step_x * input_step + step_v,
            step_y * output_line + step_x * vectors + step_v,
        ),
        vectors,
        positions,
        input_step - vectors,
        input_line - positions * input_step,
        output_line - line,
    );

    let y = divide(index, inverse_line);
    let x = divide(index - y * line, params.inverse_vectors);
    let v = index - y * line - x * vectors;
    var p0 = Walk(
        v,
        x,
        s.at * vectors + (s.begin_y + y) * input_line + (s.begin_x + x) * input_step + v,
        (unit * params.window.output_y + s.begin_y + y) * output_line + (s.begin_x + x) * vectors + v,
    );
    var sum = vec4(0.0);
    // Four places at a time, whose loads are under way together.
    var i = index;
    for (; i + 3u * width < total; i += 4u * width) {
        let p1 = next(p0, step);
        let p2 = next(p1, step);
        let p3 = next(p2, step);
        let x0 = taken(input[p0.input_at], p0.v, seen);
        let x1 = taken(input[p1.input_at], p1.v, seen);
        let x2 = taken(input[p2.input_at], p2.v, seen);
        let x3 = taken(input[p3.input_at], p3.v, seen);
        let d0 = delta[p0.delta_at];
        let d1 = delta[p1.delta_at];
        let d2 = delta[p2.delta_at];
        let d3 = delta[p3.delta_at];
        sum += x0 * d0;
        sum += x1 * d1;
        sum += x2 * d2;
        sum += x3 * d3;
        p0 = next(p3, step);
    }
    for (; i < total; i += width) {
        sum += taken(input[p0.input_at], p0.v, seen) * delta[p0.delta_at];
        p0 = next(p0, step);
    }
    return (sum.x + sum.y) + (sum.z + sum.w);
}

// Every `chunks`-th pair from `begin` on.
fn over_positions(unit: u32, begin: u32, end: u32, index: u32) {
    let width = LANES * ROWS;
    for (var first = begin; first < end; first += TILE * part.chunks) {
        for (var t = 0u; t < TILE && first + t * part.chunks < end; t++) {
            partial[t * PITCH + index] = part_of_pair(unit, first + t * part.chunks, index, width);
        }
        workgroupBarrier();
        for (var i = index; i < TILE * PARTS; i += width) {
            let t = i / PARTS;
            if first + t * part.chunks < end {
                var sum = 0.0;
                for (var k = i % PARTS; k < width; k += PARTS) {
                    sum += partial[t * PITCH + k];
                }
                parts[i] = sum;
            }
        }
        workgroupBarrier();
        for (var t = index; t < TILE && first + t * part.chunks < end; t += width) {
            var sum = 0.0;
            for (var k = 0u; k < PARTS; k++) {
                sum += parts[t * PARTS + k];
            }
            put(first + t * part.chunks, sum);
        }
    }
}
