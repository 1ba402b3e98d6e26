// Backward pass of option A's shortcut, gathered: an input position that no output reads gets nothing. One line of
// input positions per line of lanes.
#import grid
#import window

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    window: Window,
    before: u32,
    vectors: u32,
    accumulate: u32, // 1: add to what is there
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> delta: array<vec4<f32>>; // [channels_out][output_y][output_x][vectors]
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>; // [channels_in][input_y][input_x][vectors]

@compute @workgroup_size(LANES, ROWS)
fn shortcut_backward(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let line = flat_group(group, groups) * ROWS + local.y;
    if line >= params.window.channels * params.window.input_y {
        return;
    }
    let channel = line / params.window.input_y;
    let y = line - channel * params.window.input_y;
    let output_row = y / params.window.stride_y;
    let seen_line = output_row * params.window.stride_y == y;
    let vectors = params.vectors;
    let target_line = line * params.window.input_x * vectors;
    // The next output position, and the input position that it reads.
    var source = ((channel + params.before) * params.window.output_y + output_row) * params.window.output_x * vectors;
    var next = 0u;
    for (var x = 0u; x < params.window.input_x; x++) {
        let seen = seen_line && x == next;
        let to = target_line + x * vectors;
        for (var v = local.x; v < vectors; v += LANES) {
            if seen {
                var d = delta[source + v];
                if params.accumulate != 0u {
                    d += output[to + v];
                }
                output[to + v] = d;
            } else if params.accumulate == 0u {
                output[to + v] = vec4(0.0);
            }
        }
        if seen {
            source += vectors;
            next += params.window.stride_x;
        }
    }
}
