// Backward product of a full layer: shaders/lib/dense.wgsl says how its tiles are computed. Positions of the input
// plane whose distances from the padded plane's start have the same remainder modulo the stride see through the same
// taps, and form tiles of their own.
#import dense

struct Params {
    window: Window,
    rows: u32,
    units: u32,
    vectors: u32,
    first_weight: u32,
    row_step: u32,
    unit_step: u32,
    relu: u32,
    accumulate: u32,
    blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>; // [N]: the layer's [units][rows][kernel_y][kernel_x]
@group(0) @binding(2) var<storage, read> delta: array<vec4<f32>>; // [units][output_y][output_x][vectors]
@group(0) @binding(3) var<storage, read> activation: array<vec4<f32>>; // [rows][input_y][input_x][vectors]
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>; // [rows][input_y][input_x][vectors]

fn remainders() -> u32 {
    return params.window.stride_y * params.window.stride_x;
}

fn first_tap(remainder: u32) -> vec2<u32> {
    let y = remainder / params.window.stride_x;
    return vec2(remainder - y * params.window.stride_x, y);
}

fn place_of(remainder: u32, item: u32) -> Place {
    let stride = vec2(params.window.stride_x, params.window.stride_y);
    let padding = vec2(params.window.padding_x, params.window.padding_y);
    let size = vec2(params.window.input_x, params.window.input_y);
    let tap = first_tap(remainder);
    let each_x = (size.x + stride.x - 1u) / stride.x;
    let position = item / params.vectors;
    let number = vec2(position % each_x, position / each_x);
    let at = (tap + stride - padding % stride) % stride + number * stride;
    // Through the first tap, which is the remainder itself.
    let origin = (at + padding - tap) / stride;
    let v = item - position * params.vectors;
    return Place(
        all(at < size),
        (at.y * size.x + at.x) * params.vectors + v,
        v,
        origin.y,
        origin.x,
    );
}

fn tap_step() -> vec2<u32> {
    return vec2(params.window.stride_x, params.window.stride_y);
}

fn source_step() -> u32 {
    return 0xffffffffu; // One back.
}

fn seen() -> vec2<u32> {
    return vec2(params.window.output_x, params.window.output_y);
}

fn source_at(at: u32) -> vec4<f32> {
    return delta[at];
}

fn store(row: u32, to: u32, sum: vec4<f32>) {
    if row >= params.rows {
        return;
    }
    let at = row * (params.window.input_y * params.window.input_x * params.vectors) + to;
    var dx = sum;
    if params.accumulate != 0u || part.begin > 0u {
        dx += output[at];
    }
    if params.relu != 0u {
        dx = select(vec4(0.0), dx, activation[at] > vec4(0.0));
    }
    output[at] = dx;
}
