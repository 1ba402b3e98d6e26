//! Gradients of listed connections, active or candidate, by the kernel that suits the layer's window.

use super::arena::LayerSpan;
use super::conv_merge::Slices;
use super::conv_sddmm::{ConvSddmm, ConvSddmmParams};
use super::conv_sddmm_normal::{ConvSddmmNormal, ConvSddmmNormalParams};
use super::sddmm::{Sddmm, SddmmParams};
use super::sddmm_bias::SddmmBias;
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::window::Window;

/// One layer's listed pairs, and the data for their gradients.
#[derive(Clone)]
pub struct PairGradients {
    /// Where the layer is in the arena.
    pub span: LayerSpan,
    /// How its output positions read its input positions.
    pub window: Window,
    /// Lanes of a position: the batch, rounded up to whole vectors of four.
    pub lanes: usize,
    /// `[R + 1]` u32: row r's pairs are `row_offsets[r]..row_offsets[r + 1]`.
    pub row_offsets: View,
    /// The pairs' columns, ascending within a row.
    pub cols: View,
    /// `[channels][input positions][lanes]` f32: the layer's input h.
    pub input: View,
    /// `[n_out][output positions][lanes]` f32: the loss's gradient at its output; padding lanes are zero.
    pub delta: View,
    /// The gradients, f32, as many as `cols`.
    pub output: View,
    /// Add to what `output` holds instead of overwriting it.
    pub accumulate: bool,
}

/// What a layer's input is the batch norm of, if the input itself was dropped.
#[derive(Clone)]
pub struct Normalised {
    /// What was normalised; shaped like the layer's input.
    pub input: View,
    /// `[4][channels]`: mean, inverse standard deviation, weight, bias.
    pub saved: View,
    /// Whether a ReLU followed.
    pub relu: bool,
    /// The uniform that says which lanes hold samples.
    pub step: View,
}

impl PairGradients {
    /// As [`record`](Self::record) for a convolution, whose `input` is then not read: its input is the norm of another
    /// value.
    ///
    /// # Errors
    /// As there, or the window reads each position alone.
    pub fn record_normalised(self, plan: &mut Plan, normalised: Normalised) -> Result<()> {
        let params = self.convolution()?;
        self.normalised(plan, params, normalised)
    }

    /// As [`record`](Self::record), or [`record_normalised`](Self::record_normalised) if its input is the norm of
    /// another value, for the arena's layer number `layer` in its slices: the gradients are complete once these are
    /// [merged](Slices::merge), which adds them to the existing values or replaces those. A layer without slices is
    /// recorded as there.
    ///
    /// # Errors
    /// As there.
    pub fn record_in_slices(
        mut self,
        plan: &mut Plan,
        normalised: Option<Normalised>,
        slices: &Slices,
        layer: usize,
    ) -> Result<()> {
        let accumulate = std::mem::replace(&mut self.accumulate, false);
        let sliced = match self.window.is_pointwise() {
            true => None,
            false => slices.of(layer, self.convolution()?),
        };
        let Some((params, output)) = sliced else {
            self.accumulate = accumulate;
            return match normalised {
                Some(normalised) => self.record_normalised(plan, normalised),
                None => self.record(plan),
            };
        };
        self.output = output;
        match normalised {
            Some(normalised) => self.normalised(plan, params, normalised),
            None => self.product(plan, params),
        }
    }

    fn convolution(&self) -> Result<ConvSddmmParams> {
        ConvSddmmParams::new(&self.span, &self.window, self.lanes, self.accumulate)
    }

    fn normalised(
        self,
        plan: &mut Plan,
        params: ConvSddmmParams,
        normalised: Normalised,
    ) -> Result<()> {
        let kernel = ConvSddmmNormal {
            params: ConvSddmmNormalParams::new(params, normalised.relu),
            step: normalised.step,
            row_offsets: self.row_offsets,
            cols: self.cols,
            input: normalised.input,
            saved: normalised.saved,
            delta: self.delta,
            gradient: self.output,
        };
        plan.dispatch(kernel, params.grid())
    }

    fn product(self, plan: &mut Plan, params: ConvSddmmParams) -> Result<()> {
        let kernel = ConvSddmm {
            params,
            row_offsets: self.row_offsets,
            cols: self.cols,
            input: self.input,
            delta: self.delta,
            gradient: self.output,
        };
        plan.dispatch(kernel, params.grid())
    }

    /// As [`record`](Self::record) for a window that reads each position alone, and also the gradients of the layer's
    /// biases into `bias`, which has all rows of the arena.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn record_with_bias(self, plan: &mut Plan, bias: View) -> Result<()> {
        let row = self.window.output_positions() * self.lanes;
        let params = SddmmParams::new(&self.span, row, self.accumulate);
        let kernel = SddmmBias {
            params,
            row_offsets: self.row_offsets,
            cols: self.cols,
            input: self.input,
            delta: self.delta,
            output: self.output,
            bias,
        };
        plan.dispatch(kernel, params.grid())
    }

    /// Records `g(a, b) = sum over positions and batch of h[a] * delta[b]` for every listed pair (a, b) of the layer.
    ///
    /// # Errors
    /// The views do not fit, or a convolution has too many input units.
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
        let params = self.convolution()?;
        self.product(plan, params)
    }
}
