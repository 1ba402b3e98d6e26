// The input gradient of a convolution, gathered in the arena's transposed order: a channel's connections of all taps,
// in workgroup memory, and what they see from a tile of positions. The four positions of a tile are stride_x apart, so
// that they gather from neighbours in delta, through the same taps.
#import divide
#import window
#import conv_list

const TILE = 4u;

// For each connection of the list: its tap's remainders by the strides, as one number. Only used with strides.
var<workgroup> remainders: array<u32, 128>; // LISTED

// An item's tile.
struct On {
    v: u32,
    // The position of delta that the first tap with this remainder sees, and the remainder.
    y: u32,
    x: u32,
    remainder: u32,
    first_y: u32,
    first_x: u32,
    // Its address, in words.
    base: u32,
    // The first output, the distance from one of the tile's positions to the next, and how many of the four exist:
    // possibly none.
    to: u32,
    step: u32,
    held: u32,
}

fn on_tile(channel: u32, tile: u32, v: u32) -> On {
    let stride_y = params.window.stride_y;
    let stride_x = params.window.stride_x;
    let tiles_x = stride_x * params.tiles;
    let y = tile / tiles_x;
    // Positions x, x + stride_x, ...: those with the same remainder are one part of the row.
    var number = tile - y * tiles_x;
    var x = 0u;
    while number >= params.tiles {
        number -= params.tiles;
        x++;
    }
    x += number * TILE * stride_x;
    let oy = divide(y + params.window.padding_y, params.window.inverse_stride_y);
    let ox = divide(x + params.window.padding_x, params.window.inverse_stride_x);
    let first_y = y + params.window.padding_y - oy * stride_y;
    let first_x = x + params.window.padding_x - ox * stride_x;
    // The last part of a row may be empty.
    let left = max(params.window.input_x, x) - x;
    return On(
        v,
        oy,
        ox,
        first_y * stride_x + first_x,
        first_y,
        first_x,
        (oy * params.window.output_x + ox) * params.vectors + v,
        ((channel * params.window.input_y + y) * params.window.input_x + x) * params.vectors + v,
        stride_x * params.vectors,
        min(TILE, divide(left + stride_x - 1u, params.window.inverse_stride_x)),
    );
}

// What a sum is added to, if anything.
fn before(on: On, add: bool) -> Four {
    var sum = Four();
    if !add {
        return sum;
    }
    sum.a = output[on.to];
    if on.held > 1u {
        sum.b = output[on.to + on.step];
    }
    if on.held > 2u {
        sum.c = output[on.to + 2u * on.step];
    }
    if on.held > 3u {
        sum.d = output[on.to + 3u * on.step];
    }
    return sum;
}

fn put(on: On, sum: Four) {
    output[on.to] = sum.a;
    if on.held > 1u {
        output[on.to + on.step] = sum.b;
    }
    if on.held > 2u {
        output[on.to + 2u * on.step] = sum.c;
    }
    if on.held > 3u {
        output[on.to + 3u * on.step] = sum.d;
    }
}

fn list_one(i: u32, j: u32, first_col: u32) {
    let place = order[j];
    let tap = cols[place] - first_col;
    let kernel_y = divide(tap, params.window.inverse_kernel_x);
    let kernel_x = tap - kernel_y * params.window.kernel_x;
    // From one output position to the next, taps one stride apart see the same of the input.
    let y = divide(kernel_y, params.window.inverse_stride_y);
    let x = divide(kernel_x, params.window.inverse_stride_x);
    let plane = params.window.output_y * params.window.output_x;
    let at = (order_rows[j] - params.first_row) * plane - y * params.window.output_x - x;
    list[i] = vec4(at * params.vectors, y, x, bitcast<u32>(weights[place]));
    if strided() {
        remainders[i] = (kernel_y - y * params.window.stride_y) * params.window.stride_x
            + kernel_x - x * params.window.stride_x;
    }
}

fn strided() -> bool {
    return params.window.stride_y > 1u || params.window.stride_x > 1u;
}

fn places(p: vec4<u32>, on: On) -> vec4<u32> {
    return vec4(p.x + on.base) + vec4(0u, 1u, 2u, 3u) * params.vectors;
}

// Positions of delta below zero wrap around to more than any plane has.
fn sees(p: vec4<u32>, on: On) -> vec4<bool> {
    let x = vec4(on.x - p.z) + vec4(0u, 1u, 2u, 3u);
    return (x < vec4(params.window.output_x)) & vec4(on.y - p.y < params.window.output_y);
}

fn through(x: Four, j: u32) -> Four {
    return x;
}

fn loaded(at: vec4<u32>) -> Four {
    return Four(delta[at.x], delta[at.y], delta[at.z], delta[at.w]);
}

// For positions of which most taps see nothing: those are skipped.
fn plus_strided(initial: Four, count: u32, on: On) -> Four {
    var sum = initial;
    for (var j = 0u; j < count; j++) {
        if remainders[j] == on.remainder {
            let p = list[j];
            let sees_p = sees(p, on);
            let x = loaded(select(vec4(on.v), places(p, on), sees_p));
            sum = plus_seen(sum, bitcast<f32>(p.w), x, sees_p);
        }
    }
    return sum;
}

// The sum over a list of `count` connections.
fn plus_listed(sum: Four, count: u32, on: On) -> Four {
    if strided() {
        return plus_strided(sum, count, on);
    }
    let inside = on.x + TILE <= params.window.output_x && on.x + 1u >= params.window.kernel_x
        && on.y < params.window.output_y && on.y + 1u >= params.window.kernel_y;
    if inside {
        return plus_inside(sum, count, on);
    }
    return plus_border(sum, count, on);
}
