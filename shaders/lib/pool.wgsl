// Which input positions an output position sees through the window in `params`, and which outputs see an input, as
// begin..end along one axis. Padding is smaller than the kernel, so every output sees at least one input. Twin:
// src/layer/pool/mod.rs.

fn seen(output: u32, kernel: u32, stride: u32, padding: u32, inputs: u32) -> vec2<u32> {
    return vec2(
        max(output * stride, padding) - padding,
        min(output * stride + kernel, inputs + padding) - padding,
    );
}

fn seen_y(oy: u32) -> vec2<u32> {
    return seen(oy, params.window.kernel_y, params.window.stride_y, params.window.padding_y, params.window.input_y);
}

fn seen_x(ox: u32) -> vec2<u32> {
    return seen(ox, params.window.kernel_x, params.window.stride_x, params.window.padding_x, params.window.input_x);
}

// From the first output whose window reaches the input to one past the last whose window begins at or before it.
fn covering_y(iy: u32) -> vec2<u32> {
    let padded = iy + params.window.padding_y;
    return vec2(
        (max(padded + 1u, params.window.kernel_y) - params.window.kernel_y + params.window.stride_y - 1u)
            / params.window.stride_y,
        min(padded / params.window.stride_y + 1u, params.window.output_y),
    );
}
