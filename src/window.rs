//! The window of a convolution: how output positions read input positions.
//!
//! A convolution is a sparse layer applied to every patch (`n_in = channels * taps`, `n_out = output channels`, with
//! output positions as further samples of the batch). Column `c * taps + ky * kernel_x + kx` is input channel `c` at
//! kernel tap `(ky, kx)`: the order of PyTorch's weights `[out][in][ky][kx]`.

use std::ops::Range;

use crate::error::{Error, Misfit, Result};

/// Sizes of a convolution's planes and kernel, each `[y, x]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Positions of the input plane.
    pub input: [usize; 2],
    /// Positions of the output plane.
    pub output: [usize; 2],
    /// Taps of the kernel.
    pub kernel: [usize; 2],
    /// Distance in input positions from one output position to the next.
    pub stride: [usize; 2],
    /// Rows and columns of zeros before and after the input plane.
    pub padding: [usize; 2],
}

impl Window {
    /// A window over planes of `input` positions.
    ///
    /// # Errors
    /// The kernel or the stride is zero, the kernel is larger than the padded plane, or the padding is as large as the
    /// kernel (its outermost outputs would see only zeros).
    pub fn new(
        input: [usize; 2],
        kernel: [usize; 2],
        stride: [usize; 2],
        padding: [usize; 2],
    ) -> Result<Self> {
        let mut output = [0; 2];
        for axis in 0..2 {
            let (i, k, s, p) = (input[axis], kernel[axis], stride[axis], padding[axis]);
            let padded = i.saturating_add(p.saturating_mul(2));
            if i == 0 || k == 0 || s == 0 || p >= k || padded < k {
                let layer = format!(
                    "a kernel of {kernel:?} with stride {stride:?} and padding {padding:?} does not fit planes of \
                     {input:?}"
                );
                let why = "kernel and stride must be at least 1, the padding smaller than the kernel, the kernel no \
                           larger than the padded plane";
                return Err(Error::Shape(Misfit::Layer {
                    layer,
                    why: why.to_owned(),
                }));
            }
            output[axis] = (padded - k) / s + 1;
        }
        Ok(Window {
            input,
            output,
            kernel,
            stride,
            padding,
        })
    }

    /// A window that is square in kernel, stride and padding.
    ///
    /// # Errors
    /// As [`Window::new`].
    pub fn square(input: [usize; 2], kernel: usize, stride: usize, padding: usize) -> Result<Self> {
        Window::new(input, [kernel; 2], [stride; 2], [padding; 2])
    }

    /// The window of a layer that reads each position alone: a linear layer (one position), or one applied to every
    /// token.
    pub fn pointwise(plane: [usize; 2]) -> Self {
        Window {
            input: plane,
            output: plane,
            kernel: [1, 1],
            stride: [1, 1],
            padding: [0, 0],
        }
    }

    /// Whether each output position sees only the input position with the same index.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1, 1] && self.stride == [1, 1] && self.padding == [0, 0]
    }

    /// Taps of the kernel: input units of the layer per input channel.
    pub fn taps(&self) -> usize {
        self.kernel[0].saturating_mul(self.kernel[1])
    }

    /// Input channels of a layer with `n_in` input units.
    ///
    /// # Errors
    /// The number is not a multiple of the taps, or the convolution is larger than the kernels support.
    pub fn channels(&self, n_in: usize) -> Result<usize> {
        if !self.is_pointwise() {
            check_divisions(self, n_in)?;
        }
        if !n_in.is_multiple_of(self.taps()) {
            return Err(Error::Shape(Misfit::Layer {
                layer: format!(
                    "{n_in} input units are no whole number of kernels of {:?}",
                    self.kernel
                ),
                why: format!("a convolution has channels times {} taps", self.taps()),
            }));
        }
        Ok(n_in / self.taps())
    }

    /// Positions of an input plane.
    pub fn input_positions(&self) -> usize {
        self.input[0] * self.input[1]
    }

    /// Positions of an output plane.
    pub fn output_positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Along one axis, the output positions whose kernel tap lies inside the input plane: one run, which is empty for a
    /// tap that only ever sees padding.
    pub fn valid(&self, axis: usize, tap: usize) -> Range<usize> {
        let (stride, reach) = (self.stride[axis], self.input[axis] + self.padding[axis]);
        let begin = self.padding[axis].saturating_sub(tap).div_ceil(stride);
        let end = reach.saturating_sub(tap).div_ceil(stride);
        begin..end.min(self.output[axis]).max(begin)
    }
}

crate::uniform! {
    /// A [`Window`] over planes of `channels` channels in the form of kernels: `Window` of `shaders/lib/window.wgsl`.
    pub struct WindowParams {
        /// Channels of the input plane.
        channels: u32,
        /// Taps of the kernel.
        taps: u32,
        /// Rows of an input plane.
        input_y: u32,
        /// Columns of an input plane.
        input_x: u32,
        /// Rows of an output plane.
        output_y: u32,
        /// Columns of an output plane.
        output_x: u32,
        /// Rows of the kernel.
        kernel_y: u32,
        /// Columns of the kernel.
        kernel_x: u32,
        /// Distance in input rows from one output row to the next.
        stride_y: u32,
        /// Distance in input columns from one output column to the next.
        stride_x: u32,
        /// Rows of padding before and after the input plane.
        padding_y: u32,
        /// Columns of padding before and after the input plane.
        padding_x: u32,
        /// `1 / taps`, and so on: see `reciprocal`.
        inverse_taps: f32,
        /// `1 / kernel_x`.
        inverse_kernel_x: f32,
        /// `1 / stride_y`.
        inverse_stride_y: f32,
        /// `1 / stride_x`.
        inverse_stride_x: f32,
    }
}

impl WindowParams {
    /// `window` over planes of `channels` input channels.
    pub fn new(window: &Window, channels: usize) -> Self {
        let [y, x] = [0, 1];
        WindowParams {
            channels: channels as u32,
            taps: window.taps() as u32,
            input_y: window.input[y] as u32,
            input_x: window.input[x] as u32,
            output_y: window.output[y] as u32,
            output_x: window.output[x] as u32,
            kernel_y: window.kernel[y] as u32,
            kernel_x: window.kernel[x] as u32,
            stride_y: window.stride[y] as u32,
            stride_x: window.stride[x] as u32,
            padding_y: window.padding[y] as u32,
            padding_x: window.padding[x] as u32,
            inverse_taps: reciprocal(window.taps()),
            inverse_kernel_x: reciprocal(window.kernel[x]),
            inverse_stride_y: reciprocal(window.stride[y]),
            inverse_stride_x: reciprocal(window.stride[x]),
        }
    }

    /// The window.
    pub fn window(&self) -> Window {
        let sizes = |words: [u32; 2]| words.map(|n| n as usize);
        Window {
            input: sizes([self.input_y, self.input_x]),
            output: sizes([self.output_y, self.output_x]),
            kernel: sizes([self.kernel_y, self.kernel_x]),
            stride: sizes([self.stride_y, self.stride_x]),
            padding: sizes([self.padding_y, self.padding_x]),
        }
    }

    /// Along each axis, the most kernel taps through which an input position is seen.
    pub(crate) fn taps_of_input(&self) -> [u32; 2] {
        [
            self.kernel_y.div_ceil(self.stride_y),
            self.kernel_x.div_ceil(self.stride_x),
        ]
    }

    /// The channel and the kernel tap `[y, x]` of a layer's input unit `unit`. Twin of `tap_of` in
    /// `shaders/lib/tap.wgsl`.
    pub(crate) fn tap_of(&self, unit: u32) -> (u32, [u32; 2]) {
        let channel = divide(unit, self.inverse_taps);
        let tap = unit - channel * self.taps;
        let y = divide(tap, self.inverse_kernel_x);
        (channel, [y, tap - y * self.kernel_x])
    }
}

/// The reciprocal that [`divide`] needs.
pub(crate) fn reciprocal(n: usize) -> f32 {
    1.0 / n as f32
}

/// `n / d` for `inverse = 1 / d`: twin of `divide` in `shaders/lib/divide.wgsl`, which says for which numbers it is
/// exact.
fn divide(n: u32, inverse: f32) -> u32 {
    ((n as f32 + 0.5) * inverse) as u32
}

/// Refuses what shaders could not divide exactly: `units` input units, or planes, of 2^22 or more.
///
/// # Errors
/// The layer is like that.
pub(crate) fn check_divisions(window: &Window, units: usize) -> Result<()> {
    let reach = |axis| window.input[axis] + window.padding[axis] + window.stride[axis];
    if units.max(reach(0)).max(reach(1)) < 1 << 22 {
        return Ok(());
    }
    Err(Error::Shape(Misfit::Layer {
        layer: format!(
            "a convolution with {units} input units over planes of {:?}",
            window.input
        ),
        why: "kernels are exact below 4,194,304 of either".to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_planes_are_those_of_pytorch() {
        let output = |i, k, s, p| Window::new([i, i], [k, k], [s, s], [p, p]).unwrap().output[0];
        assert_eq!(output(32, 3, 1, 1), 32);
        assert_eq!(output(32, 3, 2, 1), 16);
        assert_eq!(output(224, 7, 2, 3), 112);
        assert_eq!(output(5, 2, 2, 0), 2);
        assert_eq!(output(1, 3, 1, 1), 1);
    }

    #[test]
    fn a_tap_is_valid_where_it_sees_the_plane() {
        for (i, k, s, p) in [
            (5, 3, 1, 1),
            (8, 3, 2, 1),
            (7, 2, 3, 0),
            (1, 3, 1, 1),
            (9, 7, 2, 3),
            (4, 5, 3, 4),
        ] {
            let window = Window::new([1, i], [1, k], [1, s], [0, p]).unwrap();
            for tap in 0..k {
                let inside = |x: &usize| (p..p + i).contains(&(x * s + tap));
                let expected: Vec<usize> = (0..window.output[1]).filter(inside).collect();
                let found: Vec<usize> = window.valid(1, tap).collect();
                assert_eq!(found, expected, "{window:?}, tap {tap}");
            }
        }
    }

    #[test]
    fn shaders_divide_exactly_below_four_million() {
        for d in (1..400).chain((1..200).map(|i| i * 10_007)) {
            let inverse = reciprocal(d);
            let last = ((1 << 22) - 1) / d;
            let quotients = (0..=last.min(50)).chain(last.saturating_sub(50)..=last);
            for q in quotients {
                for n in [q * d, q * d + d - 1].map(|n| n.min((1 << 22) - 1)) {
                    assert_eq!(divide(n as u32, inverse) as usize, n / d, "{n} / {d}");
                }
            }
        }
    }

    #[test]
    fn channels_are_counted_or_refused() {
        let window = Window::new([8, 8], [3, 2], [1, 1], [1, 0]).unwrap();
        assert_eq!(window.channels(24).unwrap(), 4);
        assert!(window.channels(25).is_err());
        assert!(window.channels((1 << 22) + 2).is_err());
    }

    #[test]
    fn windows_that_cannot_be_are_refused() {
        for (i, k, s, p) in [
            (0, 1, 1, 0),
            (4, 0, 1, 0),
            (4, 1, 0, 0),
            (4, 5, 1, 0),
            (4, 2, 1, 2),
        ] {
            assert!(
                Window::new([i, i], [k, k], [s, s], [p, p]).is_err(),
                "{i} {k} {s} {p}"
            );
        }
    }
}
