// The shortcut of option A: every stride-th position, with channels padded by zeros. One line of output positions per
// line of lanes, so that the row and the channel are computed once per line.
#import grid
#import window

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    window: Window,
    channels_out: u32,
    before: u32,
    vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels_in][input_y][input_x][vectors]
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>; // [channels_out][output_y][output_x][vectors]

@compute @workgroup_size(LANES, ROWS)
fn shortcut(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let line = flat_group(group, groups) * ROWS + local.y;
    if line >= params.channels_out * params.window.output_y {
        return;
    }
    let channel = line / params.window.output_y;
    let y = line - channel * params.window.output_y;
    let vectors = params.vectors;
    let target_line = line * params.window.output_x * vectors;
    if channel < params.before || channel - params.before >= params.window.channels {
        for (var i = local.x; i < params.window.output_x * vectors; i += LANES) {
            output[target_line + i] = vec4(0.0);
        }
        return;
    }
    let source_line = ((channel - params.before) * params.window.input_y + y * params.window.stride_y)
        * params.window.input_x * vectors;
    for (var x = 0u; x < params.window.output_x; x++) {
        let source = source_line + x * params.window.stride_x * vectors;
        for (var v = local.x; v < vectors; v += LANES) {
            output[target_line + x * vectors + v] = input[source + v];
        }
    }
}
