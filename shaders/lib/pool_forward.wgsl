// Pooling over windows. One line of output positions per line of lanes, so that the rows that a window sees are
// computed once per line.
//
// The importing kernel defines by functions how a window's inputs are combined: `initial`, `with_input`, `finished`.
#import grid
#import part
#import pool
#import window

override LANES: u32 = 8u;
override ROWS: u32 = 1u;

struct Params {
    window: Window,
    vectors: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(2) var<storage, read_write> output: array<vec4<f32>>; // [channels][output_y][output_x][vectors]

@compute @workgroup_size(LANES, ROWS)
fn ENTRY(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let line = flat_group(group, groups) * ROWS + local.y;
    if line >= params.window.channels * params.window.output_y {
        return;
    }
    let channel = line / params.window.output_y;
    let rows = seen_y(line - channel * params.window.output_y);
    let vectors = params.vectors;
    let row = params.window.input_x * vectors;
    let first_row = (channel * params.window.input_y + rows.x) * row;
    let end_row = (channel * params.window.input_y + rows.y) * row;
    for (var ox = 0u; ox < params.window.output_x; ox++) {
        let columns = seen_x(ox) * vectors;
        for (var v = part.begin + local.x; v < part.end; v += LANES) {
            var held = initial();
            for (var y = first_row + v; y < end_row; y += row) {
                for (var at = y + columns.x; at < y + columns.y; at += vectors) {
                    held = with_input(held, input[at]);
                }
            }
            output[(line * params.window.output_x + ox) * vectors + v] = finished(held);
        }
    }
}
