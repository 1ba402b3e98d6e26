// The convolution before a batch norm: like conv, with the statistics of its values.
#import grid
#import conv_statistics

override LANES: u32 = 8u;
override ROWS: u32 = 1u;
override UNROLL: u32 = 4u; // 4 or 8: two or four connections at a time

struct Params {
    window: Window,
    rows: u32,
    vectors: u32,
    first_row: u32,
    first_col: u32,
    parts: u32, // of a plane
    part_items: u32, // a multiple of the invocations of a workgroup
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(3) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(4) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(5) var<storage, read> bias: array<f32>; // [R]
@group(0) @binding(6) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(7) var<storage, read_write> output: array<vec4<f32>>; // [rows][output_y][output_x][vectors]
@group(0) @binding(8) var<storage, read_write> parts: array<f32>; // [rows][parts][3]: members, mean, squared differences

fn prepare(i: u32, j: u32) {}

fn through(x: Four, j: u32) -> Four {
    return x;
}
