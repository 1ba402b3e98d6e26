//! Gradients of listed connections, active or candidate, by the kernel that suits the layer's window.

use super::arena::LayerSpan;
use super::sddmm::{Sddmm, SddmmParams};
use super::window::Window;
use crate::engine::{Grid, Plan, View};
use crate::error::Result;

/// One layer's listed pairs, and what their gradients are computed from.
#[derive(Clone)]
pub struct PairGradients {
    /// Where the layer lies in the arena.
    pub span: LayerSpan,
    /// How its output positions look at its input positions.
    pub window: Window,
    /// Lanes of a position: the batch, rounded up to whole vectors of four.
    pub stride: usize,
    /// `[R + 1]` u32: row r's pairs are `row_offsets[r]..row_offsets[r + 1]`.
    pub row_offsets: View,
    /// The pairs' columns, rising within a row.
    pub cols: View,
    /// `[channels][input positions][stride]` f32: the layer's input h.
    pub input: View,
    /// `[n_out][output positions][stride]` f32: the loss's gradient at its output; padding lanes zero.
    pub delta: View,
    /// As long as `cols`, f32: the gradients.
    pub output: View,
    /// Add to what `output` holds instead of overwriting it.
    pub accumulate: bool,
}

impl PairGradients {
    /// Records `g(a, b) = sum over positions and batch of h[a] * delta[b]` for every listed pair (a, b) of the layer.
    ///
    /// # Errors
    /// Views that do not fit, or a convolution with too many input units.
    pub fn record(self, plan: &mut Plan) -> Result<()> {
        let lanes = self.window.output_positions() * self.stride;
        plan.dispatch(
            Sddmm {
                params: SddmmParams {
                    accumulate: u32::from(self.accumulate),
                    ..SddmmParams::of_layer(&self.span, lanes)
                },
                row_offsets: self.row_offsets,
                cols: self.cols,
                input: self.input,
                delta: self.delta,
                output: self.output,
            },
            Grid::Groups(self.span.n_out),
        )
    }
}
