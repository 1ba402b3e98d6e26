//! Activation functions, element by element: ReLU and GELU.
//!
//! A kernel that computes one `f'(x) * delta` keeps a delta's padding lanes zero: they are zero in `delta`, and f' is
//! finite wherever x is.

use std::sync::Arc;

use super::definition::{Layer, Linear};
use super::extent::Extent;
use super::normal::normal;
use super::operation::Operation;
use super::pass::{Backward, Forward, Sink};
use super::pointwise::{check_views, map};
use crate::engine::{Grid, Plan, View};
use crate::error::Result;

crate::kernel! {
    /// `output = max(input, 0)`; a NaN stays a NaN.
    ///
    /// Shapes: both `[4 * vectors]`. Grid: [`Items`](crate::engine::Grid::Items) = vectors. Bound by memory.
    pub ReluForward, ReluForwardParams, ReluForwardTwin = "layer/relu", shader!("layer/relu");
    params {
        /// A quarter of the number of words.
        vectors: u32,
    }
    no loops;
    read input: f32,
    write output: f32,
}

impl ReluForwardTwin<'_> {
    fn run(self) {
        let length = self.params.vectors as usize * 4;
        map(
            &mut self.output[..length],
            [self.input],
            false,
            #[inline(always)]
            |[x]| if x < 0.0 { 0.0 } else { x },
        );
    }
}

crate::kernel! {
    /// `output = delta where input > 0, else 0`, or adds to it. A NaN in `input` gives a NaN.
    ///
    /// `input` is the ReLU's input or its output, whose signs agree. Shapes: all `[4 * vectors]`. Grid:
    /// [`Items`](crate::engine::Grid::Items) = vectors. Bound by memory.
    pub ReluBackward, ReluBackwardParams, ReluBackwardTwin = "layer/relu_backward", shader!("layer/relu_backward");
    params {
        /// A quarter of the number of words.
        vectors: u32,
        /// 1: add to the existing values.
        accumulate: u32,
    }
    no loops;
    read input: f32,
    read delta: f32,
    write output: f32,
}

impl ReluBackwardTwin<'_> {
    fn run(self) {
        let length = self.params.vectors as usize * 4;
        map(
            &mut self.output[..length],
            [self.input, self.delta],
            self.params.accumulate != 0,
            #[inline(always)]
            |[x, d]| {
                // What is neither above zero nor at most zero is NaN.
                let rest = if x <= 0.0 { 0.0 } else { x };
                if x > 0.0 { d } else { rest }
            },
        );
    }
}

crate::kernel! {
    /// `output = x Phi(x)` with the normal distribution function Phi: the exact GELU (Hendrycks and Gimpel 2016), not
    /// its tanh approximation.
    ///
    /// Phi is computed within 1.1e-7 by formulas of Abramowitz and Stegun (`shaders/lib/normal.wgsl`). Shapes: both
    /// `[4 * vectors]`. Grid: [`Items`](crate::engine::Grid::Items) = vectors.
    pub GeluForward, GeluForwardParams, GeluForwardTwin = "layer/gelu", shader!("layer/gelu");
    params {
        /// A quarter of the number of words.
        vectors: u32,
    }
    no loops;
    read input: f32,
    write output: f32,
}

impl GeluForwardTwin<'_> {
    fn run(self) {
        let length = self.params.vectors as usize * 4;
        map(
            &mut self.output[..length],
            [self.input],
            false,
            #[inline(always)]
            |[x]| x * normal(x).0,
        );
    }
}

crate::kernel! {
    /// `output = delta (Phi(x) + x phi(x))`, where x is `input`, or adds to it.
    ///
    /// Phi and its density phi are recomputed from `input`, so that nothing else must be kept. Shapes: all
    /// `[4 * vectors]`. Grid: [`Items`](crate::engine::Grid::Items) = vectors.
    pub GeluBackward, GeluBackwardParams, GeluBackwardTwin = "layer/gelu_backward", shader!("layer/gelu_backward");
    params {
        /// A quarter of the number of words.
        vectors: u32,
        /// 1: add to the existing values.
        accumulate: u32,
    }
    no loops;
    read input: f32,
    read delta: f32,
    write output: f32,
}

impl GeluBackwardTwin<'_> {
    fn run(self) {
        let length = self.params.vectors as usize * 4;
        map(
            &mut self.output[..length],
            [self.input, self.delta],
            self.params.accumulate != 0,
            #[inline(always)]
            |[x, d]| {
                let (distribution, density) = normal(x);
                d * (distribution + x * density)
            },
        );
    }
}

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `x Phi(x)` with the normal distribution function Phi.
    Gelu,
}

impl Activation {
    /// `output = f(input)`, both of `words` words, a multiple of 4.
    ///
    /// # Errors
    /// The views do not fit, or belong to one buffer.
    pub fn forward(self, plan: &mut Plan, input: View, output: View, words: usize) -> Result<()> {
        check_views(
            "activation",
            words,
            &[("input", &input, words), ("output", &output, words)],
        )?;
        let (grid, vectors) = (Grid::Items(words / 4), (words / 4) as u32);
        match self {
            Activation::Relu => plan.dispatch(
                ReluForward {
                    params: ReluForwardParams { vectors },
                    input,
                    output,
                },
                grid,
            ),
            Activation::Gelu => plan.dispatch(
                GeluForward {
                    params: GeluForwardParams { vectors },
                    input,
                    output,
                },
                grid,
            ),
        }
    }

    /// `output = f'(input) delta`, or adds to it: the gradient at the inputs from `delta`, the gradient at the outputs.
    ///
    /// `input` is the function's input; for ReLU, its output serves as well.
    ///
    /// # Errors
    /// The views do not fit, or `output` shares a buffer with another.
    pub fn backward(
        self,
        plan: &mut Plan,
        input: View,
        delta: View,
        output: View,
        words: usize,
        accumulate: bool,
    ) -> Result<()> {
        check_views(
            "activation",
            words,
            &[
                ("input", &input, words),
                ("delta", &delta, words),
                ("output", &output, words),
            ],
        )?;
        let (grid, vectors) = (Grid::Items(words / 4), (words / 4) as u32);
        let accumulate = u32::from(accumulate);
        match self {
            Activation::Relu => plan.dispatch(
                ReluBackward {
                    params: ReluBackwardParams {
                        vectors,
                        accumulate,
                    },
                    input,
                    delta,
                    output,
                },
                grid,
            ),
            Activation::Gelu => plan.dispatch(
                GeluBackward {
                    params: GeluBackwardParams {
                        vectors,
                        accumulate,
                    },
                    input,
                    delta,
                    output,
                },
                grid,
            ),
        }
    }
}

/// max(x, 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relu;

/// x Φ(x): GELU (Hendrycks and Gimpel 2016), the exact form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gelu;

impl Layer for Relu {
    fn kind(&self) -> &'static str {
        "relu"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        Ok(inputs[0])
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        let words = pass.extent().size() * pass.lanes();
        Activation::Relu.forward(plan, pass.input(0)?, pass.output(), words)
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        let Some(Sink { view, accumulate }) = pass.sink(0)? else {
            return Ok(());
        };
        let (output, words) = (pass.output(plan)?, pass.extent().size() * pass.lanes());
        Activation::Relu.backward(plan, output, pass.delta(), view, words, accumulate)
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Relu)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Identity
    }
}

impl Layer for Gelu {
    fn kind(&self) -> &'static str {
        "gelu"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        Ok(inputs[0])
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        let words = pass.extent().size() * pass.lanes();
        Activation::Gelu.forward(plan, pass.input(0)?, pass.output(), words)
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        if pass.is_masked() {
            return pass.pass_on(plan, 0, pass.delta());
        }
        let Some(Sink { view, accumulate }) = pass.sink(0)? else {
            return Ok(());
        };
        let (input, words) = (pass.input(plan, 0)?, pass.extent().size() * pass.lanes());
        Activation::Gelu.backward(plan, input, pass.delta(), view, words, accumulate)
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Gelu)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Identity
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(Relu), Arc::new(Gelu)]
}
