// Backward pass of pooling, gathered. One line of input positions per line of lanes.
//
// The importing kernel defines in `gathered` what an input gets from the outputs that see it.
#import grid
#import part
#import pool
#import window

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    window: Window,
    vectors: u32,
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> delta: array<vec4<f32>>; // [channels][output_y][output_x][vectors]
@group(0) @binding(2) var<storage, read_write> result: array<vec4<f32>>; // [channels][input_y][input_x][vectors]

// A vector of an input position, and the outputs that see it: begin..end along each axis.
struct Input {
    own: u32, // its number in `result`
    channel: u32,
    y: u32,
    x: u32,
    v: u32,
    rows: vec2<u32>,
    columns: vec2<u32>,
}

@compute @workgroup_size(LANES, ROWS)
fn ENTRY(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let line = flat_group(group, groups) * ROWS + local.y;
    if line >= params.window.channels * params.window.input_y {
        return;
    }
    let channel = line / params.window.input_y;
    let iy = line - channel * params.window.input_y;
    let rows = covering_y(iy);
    let stride = params.window.stride_x;
    let padding = params.window.padding_x;
    // The outputs that cover ix, without a division for each: both ends move by at most one from one ix to the next.
    var first_ox = 0u;
    var last_ox = padding / stride;
    for (var ix = 0u; ix < params.window.input_x; ix++) {
        if first_ox * stride + params.window.kernel_x <= ix + padding {
            first_ox++;
        }
        if (last_ox + 1u) * stride <= ix + padding {
            last_ox++;
        }
        let columns = vec2(first_ox, min(last_ox + 1u, params.window.output_x));
        for (var v = part.begin + local.x; v < part.end; v += LANES) {
            let own = (line * params.window.input_x + ix) * params.vectors + v;
            var sum = vec4(0.0);
            if params.accumulate != 0u {
                sum = result[own];
            }
            result[own] = gathered(sum, Input(own, channel, iy, ix, v, rows, columns));
        }
    }
}
