// Along one axis, the output positions begin..end whose tap `k` lies inside the input plane: a tap's valid positions are
// a box, so borders are bounds of loops. Needs the import `window`. Twin: `Window::valid` in src/sparse/window.rs.
fn valid_begin(k: u32, padding: u32, stride: u32, inverse_stride: f32) -> u32 {
    return divide(max(padding, k) - k + stride - 1u, inverse_stride);
}

// `reach`: input positions and padding.
fn valid_end(k: u32, reach: u32, output: u32, inverse_stride: f32) -> u32 {
    return select(0u, min(output, divide(reach - k - 1u, inverse_stride) + 1u), k < reach);
}
