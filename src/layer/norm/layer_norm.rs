//! Layer norm.

use super::layer_norm_backward::{LayerNormBackward, LayerNormBackwardParams};
use super::layer_norm_forward::{LayerNormForward, LayerNormForwardParams};
use super::layer_norm_gradients::{LayerNormGradients, LayerNormGradientsParams};
use super::parameters::{NormSpan, Norms};
use super::{EPSILON, holds};
use crate::engine::{Grid, Plan, View};
use crate::error::Result;

/// One layer norm of a model, for a batch of `stride` lanes: statistics for each member and position over the channels.
#[derive(Clone, Copy, Debug)]
pub struct LayerNorm {
    /// Where its channels lie among those of all norms.
    pub span: NormSpan,
    /// Positions (tokens).
    pub positions: usize,
    /// Lanes of the batch, padding included: a multiple of 4.
    pub stride: usize,
}

/// What a layer norm's backward pass reads and writes.
#[derive(Clone)]
pub struct LayerNormBackwardViews {
    /// The forward pass's input, `[channels][positions][stride]`.
    pub input: View,
    /// The gradient at the output, shaped as the input.
    pub delta: View,
    /// As the forward pass wrote it.
    pub saved: View,
    /// The gradient at the input, shaped as it, and whether to add to it instead of writing it (a residual stream).
    /// None where nothing asks for it: the input is data.
    pub output: Option<(View, bool)>,
}

impl LayerNorm {
    /// Words of an activation.
    fn words(&self) -> usize {
        self.span.channels * self.positions * self.stride
    }

    /// Words of `saved`.
    pub fn saved_words(&self) -> usize {
        2 * self.positions * self.stride
    }

    /// A vector of four lanes at a position is one item.
    fn items(&self) -> usize {
        self.positions * self.stride / 4
    }

    /// Records the forward pass, in training and evaluation alike. `input` and `output`
    /// `[channels][positions][stride]`, `saved` `[2][positions][stride]`: means, and inverse standard deviations, which the
    /// backward pass reads.
    ///
    /// # Errors
    /// Views that do not fit.
    pub fn forward(
        &self,
        plan: &mut Plan,
        norms: &Norms,
        step: &View,
        input: View,
        output: View,
        saved: View,
    ) -> Result<()> {
        holds("input", &input, self.words())?;
        holds("output", &output, self.words())?;
        holds("saved statistics", &saved, self.saved_words())?;
        plan.dispatch(
            LayerNormForward {
                params: LayerNormForwardParams {
                    channels: self.span.channels as u32,
                    positions: self.positions as u32,
                    vectors: (self.stride / 4) as u32,
                    weight: self.span.first as u32,
                    bias: (norms.pitch + self.span.first) as u32,
                    epsilon: EPSILON,
                },
                step: step.clone(),
                input,
                values: norms.values.all(),
                output,
                saved,
            },
            Grid::Items(self.items()),
        )
    }

    /// Records the backward pass: the parameters' gradients, added to those that are there if `accumulate`, and the
    /// gradient at the input.
    ///
    /// # Errors
    /// Views that do not fit.
    pub fn backward(
        &self,
        plan: &mut Plan,
        norms: &Norms,
        views: LayerNormBackwardViews,
        accumulate: bool,
    ) -> Result<()> {
        holds("input", &views.input, self.words())?;
        holds("delta", &views.delta, self.words())?;
        holds("saved statistics", &views.saved, self.saved_words())?;
        plan.dispatch(
            LayerNormGradients {
                params: LayerNormGradientsParams {
                    channels: self.span.channels as u32,
                    items: self.items() as u32,
                    weight: self.span.first as u32,
                    bias: (norms.pitch + self.span.first) as u32,
                    accumulate: u32::from(accumulate),
                },
                input: views.input.clone(),
                delta: views.delta.clone(),
                saved: views.saved.clone(),
                gradient: norms.gradient.all(),
            },
            Grid::Groups(self.span.channels),
        )?;
        let Some((output, add)) = views.output else {
            return Ok(());
        };
        holds("input's gradient", &output, self.words())?;
        plan.dispatch(
            LayerNormBackward {
                params: LayerNormBackwardParams {
                    channels: self.span.channels as u32,
                    items: self.items() as u32,
                    weight: self.span.first as u32,
                    accumulate: u32::from(add),
                },
                input: views.input,
                delta: views.delta,
                saved: views.saved,
                values: norms.values.all(),
                output,
            },
            Grid::Items(self.items()),
        )
    }
}
