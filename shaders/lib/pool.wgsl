// Which input positions an output position of a window sees, and which outputs see an input, along one axis. Padding is
// smaller than the kernel, so every output sees at least one input. Twin: src/layer/pool/mod.rs.

fn seen_first(output: u32, stride: u32, padding: u32) -> u32 {
    return max(output * stride, padding) - padding;
}

fn seen_end(output: u32, kernel: u32, stride: u32, padding: u32, inputs: u32) -> u32 {
    return min(output * stride + kernel, inputs + padding) - padding;
}

// The first output whose window does not end before the input.
fn covering_first(input: u32, kernel: u32, stride: u32, padding: u32) -> u32 {
    return (max(input + padding + 1u, kernel) - kernel + stride - 1u) / stride;
}

// One behind the last output whose window has begun by the input.
fn covering_end(input: u32, stride: u32, padding: u32, outputs: u32) -> u32 {
    return min((input + padding) / stride + 1u, outputs);
}
