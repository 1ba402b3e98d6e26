//! The frames of the twins that pool over windows. The difference between max and average pooling is a trait.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::threads::DealOut;
use crate::window::{Window, WindowParams};

/// One axis of a [`Window`].
#[derive(Clone, Copy)]
struct Axis {
    input: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
}

impl Axis {
    /// Both axes of a window, `[y, x]`.
    fn of(window: &Window) -> [Self; 2] {
        [0, 1].map(|axis| Axis {
            input: window.input[axis],
            output: window.output[axis],
            kernel: window.kernel[axis],
            stride: window.stride[axis],
            padding: window.padding[axis],
        })
    }

    /// Input positions that output position `o` sees: at least one. Twin of `seen` in `shaders/lib/pool.wgsl`.
    fn seen(&self, o: usize) -> Range<usize> {
        let start = o * self.stride;
        start.saturating_sub(self.padding)
            ..(start + self.kernel).min(self.input + self.padding) - self.padding
    }
}

/// How a window's inputs are combined.
pub(super) trait Fold: Copy + Sync {
    /// The result for no input.
    const INITIAL: f32;

    /// The result with one more input.
    fn with_input(self, held: f32, x: f32) -> f32;

    /// At a window's end, for all lanes of an output.
    fn finish(self, _output: &mut [f32]) {}
}

/// Writes `output` `[channels][output positions][lanes]` from `input` `[channels][input positions][lanes]`.
pub(super) fn forward(
    params: &WindowParams,
    lanes: usize,
    input: &[f32],
    output: &mut [f32],
    fold: impl Fold,
) {
    let (window, channels) = (params.window(), params.channels as usize);
    let [y, x] = Axis::of(&window);
    let arch = pulp::Arch::new();
    output[..channels * window.output_positions() * lanes]
        .par_chunks_exact_mut(x.output * lanes)
        .enumerate()
        .deal_out(|(line, output)| {
            let (channel, row) = (line / y.output, line % y.output);
            arch.dispatch(Line {
                rows: y.seen(row),
                x,
                lanes,
                plane: &input[channel * window.input_positions() * lanes..],
                output,
                fold,
            });
        });
}

/// A line of output positions. A type and not a closure, like all these loops: a closure may be called through a shim
/// that is compiled for the narrowest vectors.
struct Line<'a, F> {
    /// Rows of the input plane that it sees.
    rows: Range<usize>,
    x: Axis,
    lanes: usize,
    plane: &'a [f32],
    output: &'a mut [f32],
    fold: F,
}

impl<F: Fold> WithSimd for Line<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (x, lanes) = (self.x, self.lanes);
        for (ox, output) in self.output.chunks_exact_mut(lanes).enumerate() {
            output.fill(F::INITIAL);
            for iy in self.rows.clone() {
                for ix in x.seen(ox) {
                    let row = &self.plane[(iy * x.input + ix) * lanes..][..lanes];
                    for (held, x) in output.iter_mut().zip(row) {
                        *held = self.fold.with_input(*held, *x);
                    }
                }
            }
            self.fold.finish(output);
        }
    }
}

/// How the deltas of a channel's outputs are distributed among the inputs that they see.
pub(super) trait Deal {
    /// Starts with the output whose lanes begin at `at`.
    fn take(&mut self, at: usize);

    /// Adds to `result` the share of that output's delta for the input whose lanes begin at `at`.
    fn give(&mut self, at: usize, result: &mut [f32]);
}

/// Writes `result` `[channels][input positions][lanes]`, or adds to it, using the `deal` of each channel.
///
/// A task has a channel's planes to itself, so it may go through the outputs and distribute their deltas: an input's
/// sum runs over the same outputs in the same order as the shader's.
pub(super) fn backward<D: Deal>(
    params: &WindowParams,
    lanes: usize,
    accumulate: bool,
    result: &mut [f32],
    deal: impl Fn(usize) -> D + Sync,
) {
    let (window, channels) = (params.window(), params.channels as usize);
    let words = window.input_positions() * lanes;
    let arch = pulp::Arch::new();
    result[..channels * words]
        .par_chunks_exact_mut(words)
        .enumerate()
        .deal_out(|(channel, result)| {
            if !accumulate {
                result.fill(0.0);
            }
            arch.dispatch(Plane {
                axes: Axis::of(&window),
                lanes,
                deal: deal(channel),
                result,
            });
        });
}

/// A channel's plane of inputs.
struct Plane<'a, D> {
    axes: [Axis; 2],
    lanes: usize,
    deal: D,
    result: &'a mut [f32],
}

impl<D: Deal> WithSimd for Plane<'_, D> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let ([y, x], lanes) = (self.axes, self.lanes);
        for o in 0..y.output * x.output {
            self.deal.take(o * lanes);
            for iy in y.seen(o / x.output) {
                for ix in x.seen(o % x.output) {
                    let at = (iy * x.input + ix) * lanes;
                    self.deal.give(at, &mut self.result[at..][..lanes]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_see_the_inputs_that_their_taps_cover() {
        for input in 1..9 {
            for kernel in 1..5 {
                for stride in 1..5 {
                    for padding in 0..kernel {
                        let sizes = [input, kernel, stride, padding].map(|n| [n; 2]);
                        let [input_plane, kernels, strides, paddings] = sizes;
                        let Ok(window) = Window::new(input_plane, kernels, strides, paddings)
                        else {
                            continue;
                        };
                        let [axis, _] = Axis::of(&window);
                        for o in 0..axis.output {
                            assert!(!axis.seen(o).is_empty());
                            for i in 0..input {
                                let tap = (i + padding).checked_sub(o * stride);
                                let sees = tap.is_some_and(|tap| tap < kernel);
                                assert_eq!(axis.seen(o).contains(&i), sees);
                            }
                        }
                    }
                }
            }
        }
    }
}
