// How output positions see input positions. Host half: `WindowParams` in src/window.rs. It comes first in `Params` and
// has 64 bytes, because a struct in a uniform begins and ends at multiples of 16.
struct Window {
    channels: u32, // of the input plane
    taps: u32, // of the kernel
    input_y: u32,
    input_x: u32,
    output_y: u32,
    output_x: u32,
    kernel_y: u32,
    kernel_x: u32,
    stride_y: u32,
    stride_x: u32,
    padding_y: u32,
    padding_x: u32,
    // The reciprocals for `divide`.
    inverse_taps: f32,
    inverse_kernel_x: f32,
    inverse_stride_y: f32,
    inverse_stride_x: f32,
}
