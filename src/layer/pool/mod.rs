//! Pooling: the largest or the mean value of every window, or the mean of a whole plane. Forward beside backward.
//!
//! Backward passes gather: an input position asks the outputs whose windows cover it, so nothing is scattered between
//! invocations, and no index is kept from the forward pass.

mod average;
mod global;
mod max;

pub use average::{
    AveragePool, AveragePoolBackward, AveragePoolBackwardParams, AveragePoolForward,
    AveragePoolForwardParams, AveragePoolPass,
};
pub use global::{
    GlobalAverage, GlobalAverageBackward, GlobalAverageBackwardParams, GlobalAverageForward,
    GlobalAverageForwardParams, GlobalAveragePass,
};
pub use max::{
    MaxPool, MaxPoolBackward, MaxPoolBackwardParams, MaxPoolForward, MaxPoolForwardParams,
    MaxPoolPass,
};

use std::ops::Range;

use super::extent::Extent;
use super::pointwise::{check_views, word};
use crate::engine::loops::{Loops, Piece, looped};
use crate::engine::{Grid, View, WorkgroupShape};
use crate::error::{Error, Result};
use crate::sparse::Window;

/// Square windows over a plane, for each of its sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Rows and columns of a window.
    pub size: usize,
    /// Positions from one window to the next.
    pub stride: usize,
    /// Rows and columns of padding around the plane.
    pub padding: usize,
}

impl Windows {
    /// The windows over a value's planes.
    ///
    /// # Errors
    /// As [`Window::new`].
    pub fn over(&self, input: Extent) -> Result<Window> {
        Window::square(input.plane(), self.size, self.stride, self.padding)
    }

    /// Size of the value that is pooled from such a one.
    fn output(&self, input: Extent) -> Result<Extent, String> {
        let window = self.over(input).map_err(|e| e.to_string())?;
        Ok(Extent::windowed(input.channels, window.output))
    }
}

/// One axis of a [`Window`], as the twins use it.
#[derive(Clone, Copy)]
struct Axis {
    input: usize,
    output: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
}

impl Axis {
    /// Input positions that output position `o` sees: at least one.
    fn seen(&self, o: usize) -> Range<usize> {
        let start = o * self.stride;
        start.saturating_sub(self.padding)
            ..(start + self.kernel).min(self.input + self.padding) - self.padding
    }

    /// Output positions that see input position `i`: may be none.
    fn covering(&self, i: usize) -> Range<usize> {
        let behind = i + self.padding;
        let first = (behind + 1)
            .saturating_sub(self.kernel)
            .div_ceil(self.stride);
        first..(behind / self.stride + 1).min(self.output)
    }
}

/// The axes and the lanes of a kernel's parameters.
macro_rules! geometry {
    ($params:expr) => {{
        let p = $params;
        let [y, x] = [
            [p.input_y, p.output_y, p.kernel_y, p.stride_y, p.padding_y],
            [p.input_x, p.output_x, p.kernel_x, p.stride_x, p.padding_x],
        ]
        .map(|axis| {
            let [input, output, kernel, stride, padding] = axis.map(|n| n as usize);
            super::Axis {
                input,
                output,
                kernel,
                stride,
                padding,
            }
        });
        (p.channels as usize, y, x, p.vectors as usize * 4)
    }};
}
use geometry;

/// Parameters of a kernel over a window, with further fields behind.
macro_rules! window_params {
    ($Params:ident, $layer:expr $(, $field:ident: $value:expr)*) => {{
        let (layer, window) = ($layer, &$layer.window);
        $Params {
            channels: layer.channels as u32,
            vectors: (layer.lanes / 4) as u32,
            input_y: window.input[0] as u32,
            input_x: window.input[1] as u32,
            output_y: window.output[0] as u32,
            output_x: window.output[1] as u32,
            kernel_y: window.kernel[0] as u32,
            kernel_x: window.kernel[1] as u32,
            stride_y: window.stride[0] as u32,
            stride_x: window.stride[1] as u32,
            padding_y: window.padding[0] as u32,
            padding_x: window.padding[1] as u32,
            $($field: $value),*
        }
    }};
}
use window_params;

/// The pieces of a kernel whose lanes go along `line` positions and the vectors of each, with `inner` loops for a vector: each
/// has some vectors.
fn vector_pieces(
    line: u32,
    inner: Loops,
    vectors: u32,
    grid: Grid,
    shape: WorkgroupShape,
) -> Vec<Piece> {
    let lanes = shape.lanes();
    Piece::ranges(grid, vectors, lanes, |vectors| {
        looped(line, looped(vectors.div_ceil(lanes), inner))
    })
}

/// Refuses views that are shorter than the planes they stand for: `inputs` and `outputs` are views of input and of output
/// planes.
fn check(
    channels: usize,
    window: &Window,
    lanes: usize,
    inputs: &[(&str, &View)],
    outputs: &[(&str, &View)],
) -> Result<()> {
    for axis in 0..2 {
        if window.padding[axis] >= window.kernel[axis] {
            return Err(Error::Shape(format!(
                "pooling: a window of {:?} with padding {:?} would see nothing at the edges",
                window.kernel, window.padding
            )));
        }
        word("strides", window.stride[axis])?;
        word("taps", window.kernel[axis])?;
    }
    let words = |plane: [usize; 2]| channels * plane[0] * plane[1] * lanes;
    let views: Vec<_> = inputs
        .iter()
        .map(|(name, view)| (*name, *view, words(window.input)))
        .chain(
            outputs
                .iter()
                .map(|(name, view)| (*name, *view, words(window.output))),
        )
        .collect();
    check_views("pooling", lanes, &views)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_see_the_inputs_that_they_cover() {
        for input in 1..9 {
            for kernel in 1..5 {
                for stride in 1..5 {
                    for padding in 0..kernel {
                        let Ok(window) =
                            Window::new([input; 2], [kernel; 2], [stride; 2], [padding; 2])
                        else {
                            continue;
                        };
                        let axis = Axis {
                            input,
                            output: window.output[0],
                            kernel,
                            stride,
                            padding,
                        };
                        for o in 0..axis.output {
                            assert!(!axis.seen(o).is_empty());
                            for i in 0..input {
                                let tap = (i + padding).checked_sub(o * stride);
                                let sees = tap.is_some_and(|tap| tap < kernel);
                                assert_eq!(axis.seen(o).contains(&i), sees);
                                assert_eq!(axis.covering(i).contains(&o), sees);
                            }
                        }
                    }
                }
            }
        }
    }
}
