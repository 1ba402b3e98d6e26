// The kernel taps of the window in `params`. Twins: src/window.rs.
#import divide
#import window

// The tap through which an input unit of a layer is seen.
struct Tap {
    channel: u32,
    y: u32,
    x: u32,
}

fn tap_of(unit: u32) -> Tap {
    let channel = divide(unit, params.window.inverse_taps);
    let tap = unit - channel * params.window.taps;
    let y = divide(tap, params.window.inverse_kernel_x);
    return Tap(channel, y, tap - y * params.window.kernel_x);
}

// Along one axis, the output positions begin..end whose tap `k` lies inside the input plane: a tap's valid positions
// form a box, so borders become bounds of loops. `reach`: input positions plus padding.
fn valid(k: u32, padding: u32, stride: u32, reach: u32, output: u32, inverse_stride: f32) -> vec2<u32> {
    return vec2(
        divide(max(padding, k) - k + stride - 1u, inverse_stride),
        select(0u, min(output, divide(reach - k - 1u, inverse_stride) + 1u), k < reach),
    );
}

fn valid_y(k: u32) -> vec2<u32> {
    let reach = params.window.input_y + params.window.padding_y;
    return valid(
        k, params.window.padding_y, params.window.stride_y, reach,
        params.window.output_y, params.window.inverse_stride_y,
    );
}

fn valid_x(k: u32) -> vec2<u32> {
    let reach = params.window.input_x + params.window.padding_x;
    return valid(
        k, params.window.padding_x, params.window.stride_x, reach,
        params.window.output_x, params.window.inverse_stride_x,
    );
}
