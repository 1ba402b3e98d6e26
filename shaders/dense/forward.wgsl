// Forward product of a full layer: shaders/lib/dense.wgsl says how its tiles are computed.
#import dense

struct Params {
    window: Window,
    rows: u32,
    units: u32,
    vectors: u32,
    first_weight: u32,
    row_step: u32,
    unit_step: u32,
    first_row: u32,
    relu: u32,
    blocks: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>; // [N]: the layer's [rows][units][kernel_y][kernel_x]
@group(0) @binding(2) var<storage, read> bias: array<f32>; // [R]
@group(0) @binding(3) var<storage, read> input: array<vec4<f32>>; // [units][input_y][input_x][vectors]
@group(0) @binding(4) var<storage, read_write> output: array<vec4<f32>>; // [rows][output_y][output_x][vectors]

fn remainders() -> u32 {
    return 1u;
}

fn place_of(remainder: u32, item: u32) -> Place {
    let position = item / params.vectors;
    let y = position / params.window.output_x;
    let x = position - y * params.window.output_x;
    return Place(
        y < params.window.output_y,
        item,
        item - position * params.vectors,
        y * params.window.stride_y - params.window.padding_y,
        x * params.window.stride_x - params.window.padding_x,
    );
}

fn first_tap(remainder: u32) -> vec2<u32> {
    return vec2(0u, 0u);
}

fn tap_step() -> vec2<u32> {
    return vec2(1u, 1u);
}

fn source_step() -> u32 {
    return 1u;
}

fn seen() -> vec2<u32> {
    return vec2(params.window.input_x, params.window.input_y);
}

fn source_at(at: u32) -> vec4<f32> {
    return input[at];
}

fn store(row: u32, to: u32, sum: vec4<f32>) {
    if row >= params.rows {
        return;
    }
    let at = row * (params.window.output_y * params.window.output_x * params.vectors) + to;
    var y = sum;
    if part.begin > 0u {
        y += output[at];
    }
    if part.end == params.units {
        y += bias[params.first_row + row];
        // A NaN stays a NaN, so that a diverged run shows.
        y = select(y, vec4(0.0), (y < vec4(0.0)) & vec4(params.relu != 0u));
    }
    output[at] = y;
}
