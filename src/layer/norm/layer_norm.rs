//! Layer norm.

use std::sync::Arc;

use super::layer_norm_backward::{LayerNormBackward, LayerNormBackwardParams};
use super::layer_norm_forward::{LayerNormForward, LayerNormForwardParams};
use super::layer_norm_gradients::{LayerNormGradients, LayerNormGradientsParams};
use super::layer_norm_sum::{LayerNormSum, LayerNormSumParams};
use super::layer_norm_whole_backward::{LayerNormWholeBackward, LayerNormWholeBackwardParams};
use super::shared::{EPSILON, first, holds, scale_and_shift};
use crate::engine::{Grid, Plan, View};
use crate::error::Result;
use crate::layer::definition::{Layer, Linear};
use crate::layer::extent::Extent;
use crate::layer::operation::Operation;
use crate::layer::parameter_state::Parameter;
use crate::layer::parameters::LayerParameters;
use crate::layer::pass::{Backward, Forward, Pass};

/// A layer norm's passes over data of one size, for a batch of `lanes`: the statistics of each sample and position are
/// over the channels.
#[derive(Clone, Copy, Debug)]
pub struct LayerNormPass {
    /// Its channels.
    pub channels: usize,
    /// Positions (tokens).
    pub positions: usize,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
    /// Whether its backward pass is one dispatch.
    pub fused: bool,
}

/// The inputs and outputs of a layer norm's backward pass.
#[derive(Clone)]
pub struct LayerNormBackwardViews {
    /// The forward pass's input, `[channels][positions][lanes]`.
    pub input: View,
    /// The gradient at the output, shaped like the input.
    pub delta: View,
    /// As the forward pass wrote it.
    pub saved: View,
    /// The gradient at the input, shaped like it, and whether to add to it instead of overwriting it (a residual
    /// stream). None if it is not needed: the input is data.
    pub output: Option<(View, bool)>,
}

/// The inputs and outputs of a layer norm of a sum.
#[derive(Clone)]
pub struct LayerNormSumViews {
    /// The terms of the sum, each `[channels][positions][lanes]`.
    pub terms: [View; 2],
    /// The sum, shaped like its terms.
    pub sum: View,
    /// Its norm.
    pub output: View,
    /// `[2][positions][lanes]`, for the backward pass.
    pub saved: View,
}

impl LayerNormPass {
    /// Words of an activation.
    fn words(&self) -> usize {
        self.channels * self.positions * self.lanes
    }

    /// Words of `saved`.
    pub fn saved_words(&self) -> usize {
        2 * self.positions * self.lanes
    }

    /// An item is a vector of four lanes at a position.
    fn items(&self) -> usize {
        self.positions * self.lanes / 4
    }

    /// Records the forward pass, which is the same in training and evaluation. `input` and `output` are
    /// `[channels][positions][lanes]`; `saved` is `[2][positions][lanes]`: means and inverse standard deviations, for
    /// the backward pass.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
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
                    channels: self.channels as u32,
                    positions: self.positions as u32,
                    vectors: (self.lanes / 4) as u32,
                    weight: first(parameters, "weight")?,
                    bias: first(parameters, "bias")?,
                    epsilon: EPSILON,
                },
                step: step.clone(),
                input,
                values: parameters.values.clone(),
                output,
                saved,
            },
            Grid::Items(self.items()),
        )
    }

    /// As [`forward`](Self::forward), for `a + b`, which is written to `sum`. All four are
    /// `[channels][positions][lanes]`.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward_of_sum(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        step: &View,
        views: LayerNormSumViews,
    ) -> Result<()> {
        let LayerNormSumViews {
            terms: [a, b],
            sum,
            output,
            saved,
        } = views;
        for (what, view) in [
            ("sum", &sum),
            ("output", &output),
            ("term", &a),
            ("term", &b),
        ] {
            holds(what, view, self.words())?;
        }
        holds("saved statistics", &saved, self.saved_words())?;
        plan.dispatch(
            LayerNormSum {
                params: LayerNormSumParams {
                    channels: self.channels as u32,
                    positions: self.positions as u32,
                    vectors: (self.lanes / 4) as u32,
                    weight: first(parameters, "weight")?,
                    bias: first(parameters, "bias")?,
                    epsilon: EPSILON,
                },
                step: step.clone(),
                a,
                b,
                values: parameters.values.clone(),
                sum,
                output,
                saved,
            },
            Grid::Items(self.items()),
        )
    }

    /// Records the backward pass: the parameters' gradients, added to the existing ones if `accumulate`, and the
    /// gradient at the input.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn backward(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        views: LayerNormBackwardViews,
        accumulate: bool,
    ) -> Result<()> {
        holds("input", &views.input, self.words())?;
        holds("delta", &views.delta, self.words())?;
        holds("saved statistics", &views.saved, self.saved_words())?;
        if let Some((output, _)) = &views.output {
            holds("input's gradient", output, self.words())?;
        }
        if let (true, Some((output, add))) = (self.fused, views.output.clone()) {
            let kernel = LayerNormWholeBackward {
                params: LayerNormWholeBackwardParams {
                    channels: self.channels as u32,
                    items: self.items() as u32,
                    weight: first(parameters, "weight")?,
                    bias: first(parameters, "bias")?,
                    accumulate: u32::from(accumulate),
                    add: u32::from(add),
                },
                input: views.input,
                delta: views.delta,
                saved: views.saved,
                values: parameters.values.clone(),
                gradient: parameters.gradient.clone(),
                output,
            };
            return plan.dispatch(kernel, Grid::Groups(self.channels));
        }
        plan.dispatch(
            LayerNormGradients {
                params: LayerNormGradientsParams {
                    channels: self.channels as u32,
                    items: self.items() as u32,
                    weight: first(parameters, "weight")?,
                    bias: first(parameters, "bias")?,
                    accumulate: u32::from(accumulate),
                },
                input: views.input.clone(),
                delta: views.delta.clone(),
                saved: views.saved.clone(),
                gradient: parameters.gradient.clone(),
            },
            Grid::Groups(self.channels),
        )?;
        let Some((output, add)) = views.output else {
            return Ok(());
        };
        plan.dispatch(
            LayerNormBackward {
                params: LayerNormBackwardParams {
                    channels: self.channels as u32,
                    items: self.items() as u32,
                    weight: first(parameters, "weight")?,
                    accumulate: u32::from(add),
                },
                input: views.input,
                delta: views.delta,
                saved: views.saved,
                values: parameters.values.clone(),
                output,
            },
            Grid::Items(self.items()),
        )
    }
}

/// Layer norm over the channels of each position. Ba, Kiros and Hinton, arXiv 1607.06450.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerNorm;

impl LayerNorm {
    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> LayerNormPass {
        LayerNormPass {
            channels: pass.extent().channels,
            positions: pass.extent().positions(),
            lanes: pass.lanes(),
            fused: pass.fuses(),
        }
    }
}

impl LayerNorm {
    /// Records its value, and the sum of which it is the norm, `sum`, its own input.
    pub(in crate::layer) fn forward_of_sum(
        &self,
        plan: &mut Plan,
        terms: [View; 2],
        sum: View,
        pass: &dyn Forward,
    ) -> Result<()> {
        let views = LayerNormSumViews {
            terms,
            sum,
            output: pass.output(),
            saved: pass.saved()?,
        };
        let (parameters, step) = (pass.parameters()?, pass.step());
        (self.pass(pass)).forward_of_sum(plan, &parameters, &step, views)
    }
}

impl Layer for LayerNorm {
    fn kind(&self) -> &'static str {
        "layer-norm"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        Ok(inputs[0])
    }

    fn parameters(&self, inputs: &[Extent]) -> Vec<Parameter> {
        scale_and_shift(inputs[0].channels)
    }

    fn saved_words(&self, inputs: &[Extent], lanes: usize) -> usize {
        2 * inputs[0].positions() * lanes
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        let (parameters, step) = (pass.parameters()?, pass.step());
        let (input, output, saved) = (pass.input(0)?, pass.output(), pass.saved()?);
        (self.pass(pass)).forward(plan, &parameters, &step, input, output, saved)
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        let output = pass.sink(0)?;
        let views = LayerNormBackwardViews {
            input: pass.input(plan, 0)?,
            delta: pass.delta(),
            saved: pass.saved()?,
            output: output.map(|sink| (sink.view, sink.accumulate)),
        };
        let (parameters, add) = (pass.parameters()?, pass.accumulates());
        self.pass(pass).backward(plan, &parameters, views, add)
    }

    fn restores(&self) -> bool {
        true
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::LayerNorm { epsilon: EPSILON })
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Identity
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(LayerNorm)]
}
