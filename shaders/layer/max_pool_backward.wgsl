// Max pooling's backward, gathered: an input takes the delta of each output that it equals, unless an earlier input of the
// window does. One line of input positions per line of lanes.
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
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(2) var<storage, read> output: array<vec4<f32>>; // [channels][output_y][output_x][vectors]
@group(0) @binding(3) var<storage, read> delta: array<vec4<f32>>; // [channels][output_y][output_x][vectors]
@group(0) @binding(4) var<storage, read_write> result: array<vec4<f32>>; // [channels][input_y][input_x][vectors]

// Whether an input may take the delta of an output; the first in the window does.
fn takes(x: vec4<f32>, largest: vec4<f32>) -> vec4<bool> {
    return (x == largest) | is_nan(x);
}

@compute @workgroup_size(LANES, ROWS)
fn max_pool_backward(
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
    let row = params.input_x * vectors;
    let first_oy = covering_first(iy, params.kernel_y, params.stride_y, params.padding_y);
    let end_oy = covering_end(iy, params.stride_y, params.padding_y, params.output_y);
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
        let end_ox = min(last_ox + 1u, params.output_x);
        for (var v = part.begin + local.x; v < part.end; v += LANES) {
            let own = line * row + ix * vectors + v;
            let x = input[own];
            var sum = vec4(0.0);
            if params.accumulate != 0u {
                sum = result[own];
            }
            for (var oy = first_oy; oy < end_oy; oy++) {
                for (var ox = first_ox; ox < end_ox; ox++) {
                    let at = ((channel * params.output_y + oy) * params.output_x + ox) * vectors + v;
                    let largest = output[at];
                    var mine = takes(x, largest);
                    // The inputs of the window before this one, row by row; the last row ends before it.
                    let first_y = seen_first(oy, params.stride_y, params.padding_y);
                    let first = seen_first(ox, params.stride_x, params.padding_x);
                    let width = seen_end(ox, params.kernel_x, params.stride_x, params.padding_x, params.input_x) - first;
                    var start = own - (iy - first_y) * row - (ix - first) * vectors;
                    for (var y = first_y; y <= iy; y++) {
                        let end = start + select(width, ix - first, y == iy) * vectors;
                        for (var earlier = start; earlier < end; earlier += vectors) {
                            mine = mine & !takes(input[earlier], largest);
                        }
                        start += row;
                    }
                    sum += select(vec4(0.0), delta[at], mine);
                }
            }
            result[own] = sum;
        }
    }
}
