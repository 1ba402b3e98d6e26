//! Gradients of listed connections, active or candidate, by the kernel that suits the layer's window.

use super::arena::LayerSpan;
use super::conv_sddmm::{ConvSddmm, ConvSddmmParams};
use super::sddmm::{Sddmm, SddmmParams};
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::window::Window;

/// One layer's listed pairs, and what their gradients are computed from.
#[derive(Clone)]
pub struct PairGradients {
    /// Where the layer lies in the arena.
    pub span: LayerSpan,
    /// How its output positions read its input positions.
    pub window: Window,
    /// Lanes of a position: the batch, rounded up to whole vectors of four.
    pub lanes: usize,
    /// `[R + 1]` u32: row r's pairs are `row_offsets[r]..row_offsets[r + 1]`.
    pub row_offsets: View,
    /// The pairs' columns, rising within a row.
    pub cols: View,
    /// `[channels][input positions][lanes]` f32: the layer's input h.
    pub input: View,
    /// `[n_out][output positions][lanes]` f32: the loss's gradient at its output; padding lanes zero.
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
        let PairGradients { span, window, .. } = &self;
        if window.is_pointwise() {
            let row = window.output_positions() * self.lanes;
            let params = SddmmParams::new(span, row, self.accumulate);
            let kernel = Sddmm {
                params,
                row_offsets: self.row_offsets,
                cols: self.cols,
                input: self.input,
                delta: self.delta,
                output: self.output,
            };
            return plan.dispatch(kernel, params.grid());
        }
        let params = ConvSddmmParams::new(span, window, self.lanes, self.accumulate)?;
        let kernel = ConvSddmm {
            params,
            row_offsets: self.row_offsets,
            cols: self.cols,
            input: self.input,
            delta: self.delta,
            output: self.output,
        };
        plan.dispatch(kernel, params.grid())
    }
}
