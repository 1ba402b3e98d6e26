//! Windows over a plane: their geometry, the pieces of a kernel that goes through them, and the check of its views.

use crate::engine::loops::{Loops, NONE, Piece, looped};
use crate::engine::{Grid, View, WorkgroupShape};
use crate::error::{Error, Misfit, Result};
use crate::layer::extent::Extent;
use crate::layer::pointwise::{check_views, word};
use crate::window::{Window, WindowParams};

/// Square windows over a plane, whatever its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// Rows and columns of a window.
    pub size: usize,
    /// Distance in positions from one window to the next.
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

    /// Size of the pooled value for an input of this size.
    pub(super) fn output(&self, input: Extent) -> Result<Extent, String> {
        let window = self.over(input).map_err(|e| e.to_string())?;
        Ok(Extent::windowed(input.channels, window.output))
    }
}

/// The pieces of a kernel whose lanes go along `line` positions and the vectors of each, with `inner` loops for a
/// vector: each piece has some vectors.
fn vector_pieces(
    line: u32,
    inner: Loops,
    vectors: u32,
    grid: Grid,
    shape: WorkgroupShape,
) -> Vec<Piece> {
    Piece::dealt(grid, vectors, shape.lanes(), |turns| {
        looped(line, looped(turns, inner))
    })
}

/// The pieces of a forward pass over windows.
pub(super) fn forward_pieces(
    window: &WindowParams,
    vectors: u32,
    grid: Grid,
    shape: WorkgroupShape,
) -> Vec<Piece> {
    let inner = looped(window.kernel_y, looped(window.kernel_x, NONE));
    vector_pieces(window.output_x, inner, vectors, grid, shape)
}

/// The pieces of a backward pass over windows, with `inner` loops for each output that sees an input.
pub(super) fn backward_pieces(
    window: &WindowParams,
    inner: Loops,
    vectors: u32,
    grid: Grid,
    shape: WorkgroupShape,
) -> Vec<Piece> {
    let [y, x] = window.taps_of_input();
    let inner = looped(y, looped(x, inner));
    vector_pieces(window.input_x, inner, vectors, grid, shape)
}

/// Refuses views that are shorter than their planes: `inputs` and `outputs` are views of input and of output planes.
pub(super) fn check(
    channels: usize,
    window: &Window,
    lanes: usize,
    inputs: &[(&str, &View)],
    outputs: &[(&str, &View)],
) -> Result<()> {
    for axis in 0..2 {
        if window.padding[axis] >= window.kernel[axis] {
            return Err(Error::Shape(Misfit::Layer {
                layer: format!(
                    "pooling: a window of {:?} with padding {:?}",
                    window.kernel, window.padding
                ),
                why: "it would see nothing at the edges".to_owned(),
            }));
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
