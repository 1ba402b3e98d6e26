//! A sparse layer by itself, which can be run from its list of connections and densely, to compare how long both take.

use super::dense_pass::DenseWeights;
use super::sparse_pass::SparsePass;
use crate::engine::{Buffer, Class, Device, Plan, Precision};
use crate::error::Result;
use crate::sparse::{Arena, LayerState, Window};

/// What a training step computes of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayerProduct {
    /// Its output.
    Forward,
    /// The gradient at its input.
    InputGradient,
    /// The gradients of its weights.
    WeightGradients,
}

impl LayerProduct {
    /// All of them, as a step computes them.
    pub const ALL: [LayerProduct; 3] = [
        LayerProduct::Forward,
        LayerProduct::InputGradient,
        LayerProduct::WeightGradients,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            LayerProduct::Forward => "forward",
            LayerProduct::InputGradient => "gradient at the input",
            LayerProduct::WeightGradients => "gradients of the weights",
        }
    }
}

/// A layer without biases, with an input and a gradient at its output.
pub struct BothWays {
    arena: Arena,
    layer: SparsePass,
    input: Buffer,
    delta: Buffer,
    input_gradient: Buffer,
    output: Buffer,
    /// The dense weights, or their gradients.
    dense: Buffer,
}

impl BothWays {
    /// A layer for batches of `batch`, whose activations are stored as `activations`.
    ///
    /// # Errors
    /// It does not fit on the device.
    pub fn new(
        device: &Device,
        state: LayerState,
        window: Window,
        batch: usize,
        activations: Precision,
    ) -> Result<Self> {
        let lanes = batch.next_multiple_of(4);
        let arena = Arena::new(device, &[state])?;
        let span = arena.spans[0];
        let inputs = window.channels(span.n_in)? * window.input_positions() * lanes;
        let outputs = span.n_out * window.output_positions() * lanes;
        let buffer = |label: &str, words: usize, precision: Precision| {
            device.buffer_of(label, Class::Activations, words, precision)
        };
        let values = |label: &str, words: usize, precision: Precision| -> Result<Buffer> {
            let values: Vec<f32> = (0..words)
                .map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0)
                .collect();
            let buffer = buffer(label, words, precision)?;
            device.upload(&buffer.all(), &values)?;
            Ok(buffer)
        };
        let gradients = activations.of_gradients();
        Ok(BothWays {
            input: values("layer.input", inputs, activations)?,
            delta: values("layer.delta", outputs, gradients)?,
            input_gradient: buffer("layer.input_gradient", inputs, gradients)?,
            output: buffer("layer.output", outputs, activations)?,
            dense: device.buffer("layer.dense", Class::Scratch, span.n_in * span.n_out)?,
            layer: SparsePass {
                span,
                window,
                lanes,
                bias: false,
                relu: false,
            },
            arena,
        })
    }

    /// Records a product of its list of connections.
    ///
    /// # Errors
    /// The layer is too large for one dispatch.
    pub fn sparse(&self, plan: &mut Plan, product: LayerProduct) -> Result<()> {
        let (layer, arena) = (&self.layer, &self.arena);
        let (input, delta) = (self.input.all(), self.delta.all());
        match product {
            LayerProduct::Forward => layer.forward(plan, arena, input, self.output.all()),
            LayerProduct::InputGradient => {
                layer.backward(plan, arena, delta, None, self.input_gradient.all(), false)
            }
            LayerProduct::WeightGradients => layer.gradients(plan, arena, input, delta, false),
        }
    }

    /// Records a dense product. For the first two, this includes the dense copy of the weights, which a network makes
    /// for each of them; the third computes the gradients of all pairs.
    ///
    /// # Errors
    /// As [`BothWays::sparse`].
    pub fn dense(&self, plan: &mut Plan, product: LayerProduct) -> Result<()> {
        let (layer, arena) = (&self.layer, &self.arena);
        let (input, delta) = (self.input.all(), self.delta.all());
        match product {
            LayerProduct::Forward => {
                let weights = self.expanded(plan)?;
                layer.forward_dense(plan, arena, weights, input, self.output.all())
            }
            LayerProduct::InputGradient => {
                let weights = self.expanded(plan)?;
                layer.backward_dense(plan, weights, delta, None, self.input_gradient.all(), false)
            }
            LayerProduct::WeightGradients => {
                let rows = 0..layer.span.n_out;
                layer.gradient_rows(plan, rows, [input, delta], self.dense.all())
            }
        }
    }

    fn expanded(&self, plan: &mut Plan) -> Result<DenseWeights> {
        self.layer.expand(plan, &self.arena, self.dense.all())
    }
}
