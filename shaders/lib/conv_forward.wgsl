// The forward product of a convolution with a list of a unit's connections: tiles of four neighbouring positions of a
// row, for one vec4 of the batch, and what connections see from them.
#import tap
#import window
#import conv_list

const TILE = 4u;

// An item's tile.
struct On {
    v: u32,
    // The input position of tap (0, 0): below zero in the padding, which wraps to more than any plane has.
    y: u32,
    x: u32,
    // Its address in words, and the distance from one of the tile's positions to the next.
    base: u32,
    step: u32,
    // Whether every tap is inside the plane.
    inside: bool,
    // The first output, and how many of the four exist.
    to: u32,
    held: u32,
}

fn on_tile(unit: u32, tile: u32, v: u32) -> On {
    let size_y = params.window.input_y;
    let size_x = params.window.input_x;
    let tiles_x = (params.window.output_x + TILE - 1u) / TILE;
    let y = tile / tiles_x;
    let x = (tile - y * tiles_x) * TILE;
    let iy = y * params.window.stride_y - params.window.padding_y;
    let ix = x * params.window.stride_x - params.window.padding_x;
    let last_x = ix + (TILE - 1u) * params.window.stride_x + params.window.kernel_x - 1u;
    return On(
        v,
        iy,
        ix,
        (iy * size_x + ix) * params.vectors + v,
        params.window.stride_x * params.vectors,
        iy < size_y && iy + params.window.kernel_y <= size_y && ix < size_x && last_x < size_x,
        ((unit * params.window.output_y + y) * params.window.output_x + x) * params.vectors + v,
        min(TILE, params.window.output_x - x),
    );
}

// A connection's entry in the list.
fn listed(j: u32, first_col: u32) -> vec4<u32> {
    let tap = tap_of(cols[j] - first_col);
    let at = (tap.channel * params.window.input_y + tap.y) * params.window.input_x + tap.x;
    return vec4(at * params.vectors, tap.y, tap.x, bitcast<u32>(weights[j]));
}

fn places(p: vec4<u32>, on: On) -> vec4<u32> {
    return vec4(p.x + on.base) + vec4(0u, 1u, 2u, 3u) * on.step;
}

fn sees(p: vec4<u32>, on: On) -> vec4<bool> {
    let x = vec4(on.x + p.z) + vec4(0u, 1u, 2u, 3u) * params.window.stride_x;
    return (x < vec4(params.window.input_x)) & vec4(on.y + p.y < params.window.input_y);
}

fn loaded(at: vec4<u32>) -> Four {
    return Four(input[at.x], input[at.y], input[at.z], input[at.w]);
}
