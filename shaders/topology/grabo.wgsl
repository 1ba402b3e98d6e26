// GraBo: sums of magnitudes over the batch and output positions, whose products bound the magnitude of the gradient
// (triangle inequality).
#import grid
#import step
#import tap
#import window

const LANES = 8u;
const ROWS = 8u;

struct Params {
    rows: u32,
    vectors: u32,
    first: u32,
    accumulate: u32, // 1: add to what is there
    begin_y: u32, // of the output positions that are summed
    end_y: u32,
    taps: u32,
    kernel_x: u32,
    input_y: u32,
    input_x: u32,
    output_y: u32,
    output_x: u32,
    stride_y: u32,
    stride_x: u32,
    padding_y: u32,
    padding_x: u32,
    inverse_taps: f32,
    inverse_kernel_x: f32,
    inverse_stride_y: f32,
    inverse_stride_x: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<vec4<f32>>; // [rows / taps][input_y][input_x][vectors]
@group(0) @binding(2) var<storage, read_write> sums: array<f32>; // this layer's from `first` on
@group(0) @binding(3) var<uniform> step: StepState;

var<workgroup> partial: array<f32, 64>; // [ROWS][LANES]

@compute @workgroup_size(8, 8)
fn grabo(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let row = flat_group(group, groups) * ROWS + local.y;
    var sum = vec4(0.0);
    if row < params.rows {
        var channel = row;
        var tap_y = 0u;
        var tap_x = 0u;
        // A layer of one tap may be larger than what `divide` is exact for.
        if params.taps > 1u {
            channel = divide(row, params.inverse_taps);
            let tap = row - channel * params.taps;
            tap_y = divide(tap, params.inverse_kernel_x);
            tap_x = tap - tap_y * params.kernel_x;
        }
        let begin_y = max(params.begin_y, valid_begin(tap_y, params.padding_y, params.stride_y, params.inverse_stride_y));
        let begin_x = valid_begin(tap_x, params.padding_x, params.stride_x, params.inverse_stride_x);
        let end_y = min(params.end_y, valid_end(tap_y, params.input_y + params.padding_y, params.output_y, params.inverse_stride_y));
        let end_x = valid_end(tap_x, params.input_x + params.padding_x, params.output_x, params.inverse_stride_x);
        for (var y = begin_y; y < end_y; y++) {
            let line = channel * params.input_y + y * params.stride_y + tap_y - params.padding_y;
            for (var x = begin_x; x < end_x; x++) {
                let at = (line * params.input_x + x * params.stride_x + tap_x - params.padding_x) * params.vectors;
                for (var v = local.x; v * 4u < step.count; v += LANES) {
                    let lanes = vec4(v * 4u) + vec4(0u, 1u, 2u, 3u);
                    sum += select(vec4(0.0), abs(values[at + v]), lanes < vec4(step.count));
                }
            }
        }
    }
    // The order of this sum is part of the result's bits, the same on every adapter.
    partial[local.y * LANES + local.x] = (sum.x + sum.y) + (sum.z + sum.w);
    workgroupBarrier();
    if local.x == 0u && row < params.rows {
        var total = 0.0;
        for (var lane = 0u; lane < LANES; lane++) {
            total += partial[local.y * LANES + lane];
        }
        let before = select(0.0, sums[params.first + row], params.accumulate != 0u);
        sums[params.first + row] = before + total;
    }
}
