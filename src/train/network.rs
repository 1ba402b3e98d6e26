//! A model on a device: its arena, its activations, and the plans of one training step and of one evaluation step.

use crate::data::Batch;
use crate::engine::{
    Buffer, Class, Device, Grid, KernelCheck, Plan, Program, STEP_WORDS, StepState, View,
};
use crate::error::{Error, Result};
use crate::layer::{
    BatchMetrics, BatchMetricsParams, SoftmaxCrossEntropy, SoftmaxCrossEntropyParams, SparseLayer,
};
use crate::model::Model;
use crate::optim::SgdOptions;
use crate::sparse::{Arena, LayerState, Window};

/// Batches whose loss and hits the device holds for the host to read: the most between two read-backs.
pub const RING: usize = 1024;

/// What a network does in a step, besides its layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NetworkOptions {
    /// Images in a batch, at most.
    pub batch: usize,
    /// Label smoothing of the training loss; the evaluation has none.
    pub label_smoothing: f32,
    /// The optimiser.
    pub sgd: SgdOptions,
}

impl NetworkOptions {
    /// For evaluation, or as a start: plain loss, plain SGD.
    pub fn of_batch(batch: usize) -> Self {
        NetworkOptions {
            batch,
            label_smoothing: 0.0,
            sgd: SgdOptions {
                momentum: 0.0,
                weight_decay: 0.0,
                nesterov: false,
            },
        }
    }
}

/// Loss and hits of one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchResult {
    /// Sum of the losses of its members.
    pub loss: f32,
    /// Members whose class was found.
    pub hits: u64,
}

/// A model on a device.
pub struct Network {
    /// The connections.
    pub arena: Arena,
    stride: usize,
    /// `[0]` is the input, then each layer's output: `[units][stride]`.
    activations: Vec<Buffer>,
    /// The gradient at each layer's output, before its ReLU: `[n_out][stride]`.
    deltas: Vec<Buffer>,
    labels: Buffer,
    step: Buffer,
    train_ring: Buffer,
    test_ring: Buffer,
    train: Program,
    test: Program,
}

impl Network {
    /// Allocates the model's buffers, uploads `layers`, and records its plans.
    ///
    /// # Errors
    /// Layers that do not fit the model, or buffers that the device refuses.
    pub fn new(
        device: &Device,
        model: &Model,
        layers: &[LayerState],
        options: &NetworkOptions,
    ) -> Result<Self> {
        let stride = options.batch.next_multiple_of(4);
        let arena = Arena::new(device, layers)?;
        let fits = arena.spans.len() == model.layers.len()
            && (arena.spans.iter().zip(&model.layers))
                .all(|(s, l)| (s.n_in, s.n_out) == (l.shape.n_in, l.shape.n_out))
            && arena.spans.windows(2).all(|w| w[0].n_out == w[1].n_in);
        let (true, [first, .., last] | [first @ last]) = (fits, &arena.spans[..]) else {
            return Err(Error::Shape(
                "the layers' sizes are not those of the model, or do not follow on each other"
                    .into(),
            ));
        };
        let classes = last.n_out;
        let mut activations = vec![device.buffer("input", Class::Data, first.n_in * stride)?];
        let mut deltas = Vec::new();
        for (span, layer) in arena.spans.iter().zip(&model.layers) {
            let n = span.n_out * stride;
            let name = &layer.name;
            activations.push(device.buffer(&format!("{name}.output"), Class::Activations, n)?);
            deltas.push(device.buffer(&format!("{name}.delta"), Class::Activations, n)?);
        }
        let labels = device.buffer("labels", Class::Data, stride)?;
        let step = device.buffer("step", Class::Scratch, STEP_WORDS)?;
        let losses = device.buffer("losses", Class::Scratch, stride)?;
        let hits = device.buffer("hits", Class::Scratch, stride)?;
        let train_ring = device.buffer("train_metrics", Class::Scratch, 2 * RING)?;
        let test_ring = device.buffer("test_metrics", Class::Scratch, 2 * RING)?;

        let linear: Vec<SparseLayer> = arena
            .spans
            .iter()
            .zip(&model.layers)
            .map(|(&span, layer)| SparseLayer {
                span,
                window: Window::pointwise([1, 1]),
                stride,
                bias: true,
                relu: layer.relu,
            })
            .collect();
        let forward = |plan: &mut Plan, smoothing: f32, ring: &Buffer| -> Result<()> {
            for (l, layer) in linear.iter().enumerate() {
                layer.forward(plan, &arena, activations[l].all(), activations[l + 1].all())?;
            }
            plan.dispatch(
                SoftmaxCrossEntropy {
                    params: SoftmaxCrossEntropyParams {
                        classes: classes as u32,
                        stride: stride as u32,
                        smoothing,
                    },
                    step: step.all(),
                    logits: activations[linear.len()].all(),
                    labels: labels.all(),
                    delta: deltas[linear.len() - 1].all(),
                    losses: losses.all(),
                    hits: hits.all(),
                },
                Grid::Items(stride),
            )?;
            plan.dispatch(
                BatchMetrics {
                    params: BatchMetricsParams {
                        stride: stride as u32,
                        slots: RING as u32,
                    },
                    step: step.all(),
                    losses: losses.all(),
                    hits: hits.all(),
                    ring: ring.all(),
                },
                Grid::Groups(1),
            )
        };
        let mut test = Plan::new("evaluation step");
        forward(&mut test, 0.0, &test_ring)?;

        let mut train = Plan::new("training step");
        forward(&mut train, options.label_smoothing, &train_ring)?;
        for (l, layer) in linear.iter().enumerate().rev() {
            let (input, delta) = (activations[l].all(), deltas[l].all());
            layer.gradients(&mut train, &arena, input.clone(), delta.clone(), false)?;
            if l > 0 {
                let mask = linear[l - 1].relu.then_some(input);
                let output = deltas[l - 1].all();
                layer.backward(&mut train, &arena, delta, mask, output, false)?;
            }
        }
        let mut update = |count, gradient: &Buffer, weights: &Buffer, velocity: &Buffer| {
            let (g, w, v) = (gradient.all(), weights.all(), velocity.all());
            options.sgd.update(&mut train, step.all(), count, g, w, v)
        };
        update(
            arena.connections,
            &arena.gradient,
            &arena.weights,
            &arena.momentum,
        )?;
        update(
            arena.n_rows,
            &arena.bias_gradient,
            &arena.bias,
            &arena.bias_momentum,
        )?;

        Ok(Network {
            train: device.prepare(&train)?,
            test: device.prepare(&test)?,
            arena,
            stride,
            activations,
            deltas,
            labels,
            step,
            train_ring,
            test_ring,
        })
    }

    /// Lanes of the batch, padding included.
    pub fn stride(&self) -> usize {
        self.stride
    }

    /// The uniform that changes from step to step.
    pub fn step_state(&self) -> View {
        self.step.all()
    }

    /// Each layer's input in the last batch, `[n_in][stride]`.
    pub fn inputs(&self) -> Vec<View> {
        self.activations[..self.deltas.len()]
            .iter()
            .map(Buffer::all)
            .collect()
    }

    /// The last layer's output in the last batch, `[classes][stride]`.
    pub fn logits(&self) -> View {
        self.activations[self.deltas.len()].all()
    }

    /// The gradient at each layer's output in the last training step, `[n_out][stride]`.
    pub fn deltas(&self) -> Vec<View> {
        self.deltas.iter().map(Buffer::all).collect()
    }

    /// Uploads a batch, whose rows must have as many lanes as the network's.
    ///
    /// # Errors
    /// A batch of another shape, or a lost device.
    pub fn load(&self, device: &Device, batch: &Batch) -> Result<()> {
        let input = &self.activations[0];
        device.upload(&input.range(0..batch.inputs.len()), &batch.inputs)?;
        device.upload(&self.labels.range(0..batch.labels.len()), &batch.labels)
    }

    fn set_step(&self, device: &Device, state: StepState) -> Result<()> {
        let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
        device.upload(&self.step.range(0..STEP_WORDS), words)
    }

    /// Runs one training step on the loaded batch; on a GPU it is only submitted.
    ///
    /// # Errors
    /// A lost device.
    pub fn train(&self, device: &Device, state: StepState) -> Result<()> {
        self.set_step(device, state)?;
        device.run(&self.train)
    }

    /// As [`Network::train`], each kernel whose name contains `filter` also on its CPU twin.
    ///
    /// # Errors
    /// A lost device. Differences are in the checks.
    pub fn train_checked(
        &self,
        device: &Device,
        state: StepState,
        filter: &str,
    ) -> Result<Vec<KernelCheck>> {
        self.set_step(device, state)?;
        device.run_checked(&self.train, filter)
    }

    /// Runs the loaded batch forward only; `state.step` is the batch's number in the evaluation.
    ///
    /// # Errors
    /// A lost device.
    pub fn test(&self, device: &Device, state: StepState) -> Result<()> {
        self.set_step(device, state)?;
        device.run(&self.test)
    }

    /// Loss and hits of training steps `steps`, of which only the last [`RING`] are held.
    ///
    /// # Errors
    /// A lost device.
    pub fn train_results(
        &self,
        device: &Device,
        steps: std::ops::Range<u64>,
    ) -> Result<Vec<BatchResult>> {
        read_ring(device, &self.train_ring, steps)
    }

    /// As [`Network::train_results`] for the batches of an evaluation.
    ///
    /// # Errors
    /// A lost device.
    pub fn test_results(
        &self,
        device: &Device,
        batches: std::ops::Range<u64>,
    ) -> Result<Vec<BatchResult>> {
        read_ring(device, &self.test_ring, batches)
    }
}

fn read_ring(
    device: &Device,
    ring: &Buffer,
    slots: std::ops::Range<u64>,
) -> Result<Vec<BatchResult>> {
    let words: Vec<f32> = device.download(&ring.all())?;
    Ok(slots
        .map(|slot| {
            let at = 2 * (slot % RING as u64) as usize;
            BatchResult {
                loss: words[at],
                hits: words[at + 1] as u64,
            }
        })
        .collect())
}
