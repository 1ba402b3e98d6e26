//! What a round looks at: the last training step's activations and gradients.

use crate::engine::View;
use crate::error::{Error, Result};
use crate::sparse::LayerSpan;

/// What the training step leaves for a round to look at.
pub struct RoundInputs {
    /// Lanes of an activation row: the batch, rounded up to whole vectors of four.
    pub stride: usize,
    /// A [`StepState`](crate::engine::StepState): seed, step and batch size.
    pub step: View,
    /// By layer: `[n_in][stride]` f32, the layer's input.
    pub activations: Vec<View>,
    /// By layer: `[n_out][stride]` f32, the loss's gradient at the layer's output; padding lanes zero.
    pub deltas: Vec<View>,
}

impl RoundInputs {
    pub(super) fn check(&self, spans: &[LayerSpan]) -> Result<()> {
        let fits = |views: &[View], units: fn(&LayerSpan) -> usize| {
            views.len() == spans.len()
                && views
                    .iter()
                    .zip(spans)
                    .all(|(v, s)| v.words() >= units(s) * self.stride)
        };
        if self.stride == 0
            || !self.stride.is_multiple_of(4)
            || !fits(&self.activations, |s| s.n_in)
            || !fits(&self.deltas, |s| s.n_out)
        {
            return Err(Error::Shape(format!(
                "a round needs [n_in][{stride}] activations and [n_out][{stride}] deltas for each of {} layers, the stride \
                 a multiple of 4",
                spans.len(),
                stride = self.stride,
            )));
        }
        Ok(())
    }
}
