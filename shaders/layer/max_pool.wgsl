// Max pooling. One line of output positions per line of lanes, so that the rows that the window sees are found once a line.
#import grid
#import part
#import nan
#import pool

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    channels: u32,
    vectors: u32,
    input_y: u32,
    input_x: u32,
    output_y: u32,
    output_x: u32,
    kernel_y: u32,
    kernel_x: u32,
    stride_y: u32,
    stride_x: u32,
    padding_y: u32,
    padding_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>; // [channels][output_y][output_x][vectors]

@compute @workgroup_size(LANES, ROWS)
fn max_pool(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let line = flat_group(group, groups) * ROWS + local.y;
    if line >= params.channels * params.output_y {
        return;
    }
    let channel = line / params.output_y;
    let oy = line - channel * params.output_y;
    let vectors = params.vectors;
    let row = params.input_x * vectors;
    let first_y = seen_first(oy, params.stride_y, params.padding_y);
    let end_y = seen_end(oy, params.kernel_y, params.stride_y, params.padding_y, params.input_y);
    let first_row = (channel * params.input_y + first_y) * row;
    let end_row = (channel * params.input_y + end_y) * row;
    // Minus infinity, in a variable: WGSL has no infinite constants.
    var lowest = 0xff800000u;
    for (var ox = 0u; ox < params.output_x; ox++) {
        let first = seen_first(ox, params.stride_x, params.padding_x) * vectors;
        let end = seen_end(ox, params.kernel_x, params.stride_x, params.padding_x, params.input_x) * vectors;
        for (var v = part.begin + local.x; v < part.end; v += LANES) {
            var best = vec4(bitcast<f32>(lowest));
            for (var y = first_row + v; y < end_row; y += row) {
                for (var at = y + first; at < y + end; at += vectors) {
                    let x = input[at];
                    best = select(best, x, (x > best) | is_nan(x));
                }
            }
            output[(line * params.output_x + ox) * vectors + v] = best;
        }
    }
}
