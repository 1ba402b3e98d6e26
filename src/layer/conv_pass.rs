//! A convolution beside batch norms, in few dispatches: with the sums for the norms after and before it.

use super::pass::Forward;
use super::sparse_pass::SparsePass;
use crate::engine::Plan;
use crate::error::Result;
use crate::sparse::{
    Arena, ConvBackward, ConvBackwardViews, ConvBeforeNorm, ConvInput, ConvStatisticsParams,
    Normalised, Slices,
};

impl SparsePass {
    /// Whether its statistics can be computed with its value: it is a convolution without a ReLU whose loops are not
    /// too long for one dispatch.
    ///
    /// # Errors
    /// The window does not fit the layer.
    pub(crate) fn has_statistics(&self) -> Result<bool> {
        let suits = !self.relu && !self.window.is_pointwise();
        Ok(suits && self.with_statistics()?.fits())
    }

    fn with_statistics(&self) -> Result<ConvStatisticsParams> {
        ConvStatisticsParams::of_layer(&self.span, &self.window, self.lanes)
    }

    /// Its forward pass before a norm, if it is such a layer.
    pub(super) fn before_norm<P: Forward + ?Sized>(
        &self,
        pass: &P,
    ) -> Result<Option<ConvBeforeNorm>> {
        if !pass.fuses() || !self.has_statistics()? {
            return Ok(None);
        }
        let params = self.with_statistics()?;
        let Some(parts) = pass.statistics_room(params.words()) else {
            return Ok(None);
        };
        let output = pass.output();
        let input = match pass.normalised() {
            Some(normalised) => ConvInput::NormOf(normalised),
            None => ConvInput::Value(pass.input(0)?),
        };
        match &input {
            ConvInput::NormOf(Normalised { input, .. }) | ConvInput::Value(input) => {
                self.check(input, &output)?;
            }
        }
        Ok(Some(ConvBeforeNorm {
            params,
            input,
            step: pass.step(),
            output,
            parts,
        }))
    }

    /// Whether there is one dispatch for the whole [backward pass](Self::backward_at_once).
    pub(crate) fn runs_at_once(&self, slices: Option<(&Slices, usize)>) -> Result<bool> {
        ConvBackward::fits(&self.span, &self.window, self.lanes, slices)
    }

    /// The gradients of a convolution's connections, of its biases if they are trained, and at its input; those of
    /// connections in slices, if the arena's layer with this number has some; `accumulate` adds the gradients of
    /// parameters to the existing ones.
    pub(crate) fn backward_at_once(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        views: ConvBackwardViews,
        slices: Option<(&Slices, usize)>,
        accumulate: bool,
    ) -> Result<()> {
        self.check(&views.output, &views.delta)?;
        let delta = views.delta.clone();
        let layer = (&self.span, &self.window, self.lanes);
        ConvBackward::record(plan, arena, layer, views, slices, accumulate)?;
        self.bias_gradients(plan, arena, delta, accumulate)
    }
}
