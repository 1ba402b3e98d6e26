//! The sparse layer of a model: linear at each position, or a convolution.

use std::any::Any;
use std::sync::Arc;

use super::activation::{Activation, Gelu};
use super::definition::{Connections, Layer, Linear};
use super::extent::Extent;
use super::operation::Operation;
use super::pass::{Backward, Forward, Pass, Sink};
use super::sparse_pass::SparsePass;
use crate::engine::Plan;
use crate::error::Result;
use crate::sparse::{LayerSpan, Window};

/// Sparse connections from input units to output units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sparse {
    /// Output units: channels of a convolution.
    pub units: usize,
    /// Rows and columns of a convolution's kernel; 1 is a linear layer at each position.
    pub kernel: usize,
    /// Positions from one window to the next.
    pub stride: usize,
    /// Rows and columns of zeros around the plane.
    pub padding: usize,
    /// Whether each output unit has a bias.
    pub bias: bool,
    /// Whether a ReLU is fused after it.
    pub relu: bool,
}

/// Units and connections have 32-bit numbers.
const MOST_INPUTS: usize = u32::MAX as usize;

impl Sparse {
    /// A convolution without biases, square in kernel, stride and padding.
    pub fn convolution(units: usize, kernel: usize, stride: usize, padding: usize) -> Self {
        Sparse {
            units,
            kernel,
            stride,
            padding,
            bias: false,
            relu: false,
        }
    }

    /// A linear layer at each position, with biases.
    pub fn linear(units: usize) -> Self {
        Sparse {
            bias: true,
            ..Self::convolution(units, 1, 1, 0)
        }
    }

    fn window(&self, input: Extent) -> Result<Window> {
        Window::square(input.plane(), self.kernel, self.stride, self.padding)
    }

    /// Its passes over an input of this size, if its connections have this place.
    pub(crate) fn of_span(
        &self,
        span: LayerSpan,
        input: Extent,
        lanes: usize,
    ) -> Result<SparsePass> {
        Ok(SparsePass {
            span,
            window: self.window(input)?,
            lanes,
            bias: self.bias,
            relu: self.relu,
        })
    }

    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> Result<SparsePass> {
        self.of_span(pass.connections()?.1, pass.inputs()[0], pass.lanes())
    }
}

impl Layer for Sparse {
    fn kind(&self) -> &'static str {
        "sparse"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        let window = self.window(inputs[0]).map_err(|e| e.to_string())?;
        match inputs[0].channels.saturating_mul(window.taps()) {
            n if n < MOST_INPUTS => Ok(Extent::windowed(self.units, window.output)),
            n => Err(format!("{n} inputs of a unit are more than 32 bits count")),
        }
    }

    fn connections(&self, inputs: &[Extent]) -> Option<Connections> {
        Some(Connections {
            units: self.units,
            window: self.window(inputs[0]).ok()?,
            bias: self.bias,
        })
    }

    fn joins(&self, next: &dyn Layer) -> bool {
        let (next, pointwise): (&dyn Any, _) = (next, self.kernel == 1 && self.stride == 1);
        pointwise && self.padding == 0 && !self.relu && next.is::<Gelu>()
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        let layer = self.pass(pass)?;
        let weights = pass.dense_weights(plan, &layer)?;
        let (arena, _) = pass.connections()?;
        if weights.is_none()
            && let Some(product) = layer.before_norm(pass)?
        {
            return product.record(plan, arena);
        }
        let (input, output) = (pass.input(0)?, pass.output());
        match (weights, pass.next()) {
            (None, None) => layer.forward(plan, arena, input, output),
            (None, Some(next)) => layer.forward_gelu(plan, arena, input, output, next.output()),
            (Some(weights), next) => {
                layer.forward_dense(plan, arena, weights, input, output)?;
                next.map_or(Ok(()), |next| Gelu.forward(plan, next))
            }
        }
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        let layer = self.pass(pass)?;
        let mut delta = pass.delta();
        if self.relu && !pass.is_masked() {
            let masked = pass.like_output("masked_delta")?;
            let (output, words) = (pass.output(plan)?, pass.extent().size() * pass.lanes());
            Activation::Relu.backward(plan, output, delta, masked.clone(), words, false)?;
            delta = masked;
        }
        let pointwise = layer.window.is_pointwise();
        if !pointwise && pass.convolution_at_once(plan, &layer, delta.clone())? {
            return Ok(());
        }
        let input = match !pointwise && pass.normalised_gradients(plan, &layer, delta.clone())? {
            true => None,
            false => {
                let input = pass.input(plan, 0)?;
                pass.connection_gradients(plan, &layer, input.clone(), delta.clone())?;
                Some(input)
            }
        };
        let Some(Sink { view, accumulate }) = pass.sink(0)? else {
            return Ok(());
        };
        let weights = pass.dense_weights(plan, &layer)?;
        // The gradient goes back through the activation before this layer in the same store, if nothing else adds to
        // it.
        if pointwise
            && weights.is_none()
            && !accumulate
            && let Some(taken) = pass.claim_gelu(0)
        {
            let (arena, _) = pass.connections()?;
            return layer.backward_gelu(plan, arena, delta, taken, view);
        }
        let mask = pointwise && pass.claim_mask(0);
        let mask = input.filter(|_| mask);
        let (arena, _) = pass.connections()?;
        match weights {
            Some(weights) => layer.backward_dense(plan, weights, delta, mask, view, accumulate),
            None => layer.backward(plan, arena, delta, mask, view, accumulate),
        }
    }

    fn ends_in_relu(&self) -> bool {
        self.relu
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Connections { relu: self.relu })
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Instead(Arc::new(Sparse {
            bias: false,
            relu: false,
            ..*self
        }))
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![
        Arc::new(Sparse::linear(5)),
        Arc::new(Sparse::convolution(5, 3, 2, 1)),
    ]
}
