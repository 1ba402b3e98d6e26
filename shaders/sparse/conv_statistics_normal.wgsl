// conv_statistics if the layer's input is the output of another batch norm that was never written: each load passes
// that norm's input through the norm and its ReLU.
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
    relu: u32, // 1: negative outputs of the norm become zero
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<uniform> step: StepState;
@group(0) @binding(2) var<storage, read> row_offsets: array<u32>; // [R + 1]
@group(0) @binding(3) var<storage, read> cols: array<u32>; // [N]
@group(0) @binding(4) var<storage, read> weights: array<f32>; // [N]
@group(0) @binding(5) var<storage, read> bias: array<f32>; // [R]
@group(0) @binding(6) var<storage, read> input: array<vec4<f32>>; // [channels][input_y][input_x][vectors]
@group(0) @binding(7) var<storage, read> saved: array<f32>; // [4][channels]: mean, 1 / standard deviation, weight, bias
@group(0) @binding(8) var<storage, read_write> output: array<vec4<f32>>; // [rows][output_y][output_x][vectors]
@group(0) @binding(9) var<storage, read_write> parts: array<f32>; // [rows][parts][3]: members, mean, squared differences

// For each connection of the list: its channel's mean, scale and bias.
var<workgroup> norms: array<vec3<f32>, 128>; // LISTED

fn prepare(i: u32, j: u32) {
    let n = params.window.channels;
    let channel = tap_of(cols[j] - params.first_col).channel;
    norms[i] = vec3(saved[channel], saved[n + channel] * saved[2u * n + channel], saved[3u * n + channel]);
}

fn normal(x: vec4<f32>, norm: vec3<f32>) -> vec4<f32> {
    let y = (x - norm.x) * norm.y + norm.z;
    // As in batch_norm_apply: a NaN stays NaN. Padding can hold any number.
    return select(y, vec4(0.0), vec4(params.relu != 0u) & (y < vec4(0.0)));
}

fn through(x: Four, j: u32) -> Four {
    let norm = norms[j];
    return Four(normal(x.a, norm), normal(x.b, norm), normal(x.c, norm), normal(x.d, norm));
}
