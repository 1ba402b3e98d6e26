// Layer norm, forward. Each local x has four lanes of the batch at a position, so that loads are coalesced; local y
// divides the channels, and the rows' statistics are merged through workgroup memory, in order. The values to normalise
// are read twice, by the kernel's `first_value` and then its `value`; needs its params, overrides and bindings.
#import unfixed
#import step
#import members

var<workgroup> row_mean: array<vec4<f32>, 128>;
var<workgroup> row_squares: array<vec4<f32>, 128>;

fn forward_lanes(number: u32, local: vec2<u32>) {
    let items = params.positions * params.vectors;
    let channels = unfixed(params.channels, arrayLength(&output));
    // All invocations must reach the barrier: those beyond the last item repeat it, and write nothing else.
    let item = min(number, items - 1u);
    var n = 0.0;
    var mean = vec4(0.0);
    var squares = vec4(0.0);
    for (var c = local.y; c < channels; c += ROWS) {
        let x = first_value(c * items + item);
        n += 1.0;
        let d = x - mean;
        mean += d * (1.0 / n);
        squares += d * (x - mean);
    }
    if ROWS > 1u {
        row_mean[local.y * LANES + local.x] = mean;
        row_squares[local.y * LANES + local.x] = squares;
        workgroupBarrier();
        n = 0.0;
        mean = vec4(0.0);
        squares = vec4(0.0);
        for (var r = 0u; r < min(ROWS, channels); r++) {
            let more = f32((channels - r + ROWS - 1u) / ROWS);
            let total = n + more;
            let d = row_mean[r * LANES + local.x] - mean;
            mean += d * (more / total);
            squares += row_squares[r * LANES + local.x] + d * d * (n * (more / total));
            n = total;
        }
    }
    if number >= items {
        return;
    }
    let keep = members(item % params.vectors);
    mean = select(vec4(0.0), mean, keep);
    let inverse = select(vec4(0.0), 1.0 / sqrt(squares / n + params.epsilon), keep);
    if local.y == 0u {
        saved[item] = mean;
        saved[items + item] = inverse;
    }
    for (var c = local.y; c < channels; c += ROWS) {
        let at = c * items + item;
        let y = (value(at) - mean) * inverse * values[params.weight + c] + values[params.bias + c];
        output[at] = select(vec4(0.0), y, keep);
    }
}
