// Average pooling's backward, gathered. One line of input positions per line of lanes.
#import grid
#import part
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
    scale: f32, // 1 / taps
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> delta: array<vec4<f32>>; // [channels][output_y][output_x][vectors]
@group(0) @binding(2) var<storage, read_write> result: array<vec4<f32>>; // [channels][input_y][input_x][vectors]

@compute @workgroup_size(LANES, ROWS)
fn average_pool_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let line = flat_group(group, groups) * ROWS + local.y;
    if line >= params.channels * params.input_y {
        return;
    }
    let channel = line / params.input_y;
    let iy = line - channel * params.input_y;
    let vectors = params.vectors;
    let row = params.output_x * vectors;
    let first_row = (channel * params.output_y + covering_first(iy, params.kernel_y, params.stride_y, params.padding_y)) * row;
    let end_row = (channel * params.output_y + covering_end(iy, params.stride_y, params.padding_y, params.output_y)) * row;
    // The outputs that cover ix, without a division for each: both ends move by at most one from one ix to the next.
    var first_ox = 0u;
    var last_ox = params.padding_x / params.stride_x;
    for (var ix = 0u; ix < params.input_x; ix++) {
        if first_ox * params.stride_x + params.kernel_x <= ix + params.padding_x {
            first_ox++;
        }
        if (last_ox + 1u) * params.stride_x <= ix + params.padding_x {
            last_ox++;
        }
        let first = first_ox * vectors;
        let end = min(last_ox + 1u, params.output_x) * vectors;
        for (var v = part.begin + local.x; v < part.end; v += LANES) {
            let own = (line * params.input_x + ix) * vectors + v;
            var sum = vec4(0.0);
            if params.accumulate != 0u {
                sum = result[own];
            }
            for (var y = first_row + v; y < end_row; y += row) {
                for (var at = y + first; at < y + end; at += vectors) {
                    sum += params.scale * delta[at];
                }
            }
            result[own] = sum;
        }
    }
}
