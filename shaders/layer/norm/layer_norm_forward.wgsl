// Layer norm, forward. Local x takes a position's four lanes of the batch each, so that loads are coalesced; local y
// shares the channels out, and the rows' statistics are merged through workgroup memory, in order.
#import grid
#import unfixed
#import step
#import members

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    channels: u32,
    positions: u32,
    vectors: u32,
    weight: u32, // where the channels' weights start
    bias: u32,
    epsilon: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> input: array<vec4<f32>>; // [channels][positions][vectors]
@group(0) @binding(3) var<storage, read> values: array<f32>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>; // as input
@group(0) @binding(5) var<storage, read_write> saved: array<vec4<f32>>; // [2][positions][vectors]: mean, 1 / standard deviation

var<workgroup> row_mean: array<vec4<f32>, 128>;
var<workgroup> row_squares: array<vec4<f32>, 128>;

@compute @workgroup_size(LANES, ROWS)
fn layer_norm_forward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let items = params.positions * params.vectors;
    let channels = unfixed(params.channels, arrayLength(&input));
    let number = flat_group(group, groups) * LANES + local.x;
    // All invocations must reach the barrier: those beyond the last item repeat it and write nothing.
    let item = min(number, items - 1u);
    var n = 0.0;
    var mean = vec4(0.0);
    var squares = vec4(0.0);
    for (var c = local.y; c < channels; c += ROWS) {
        let x = input[c * items + item];
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
        let y = (input[at] - mean) * inverse * values[params.weight + c] + values[params.bias + c];
        output[at] = select(vec4(0.0), y, keep);
    }
}
