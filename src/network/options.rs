//! What a network does besides its layers, and its state on the host.

use std::sync::Arc;

use crate::engine::{Class, Device, Precision, ShapeFamily};
use crate::error::{Error, Misfit, Result};
use crate::layer::ParameterState;
use crate::loss::{Accuracy, CrossEntropy, Loss, Metric};
use crate::model::Model;
use crate::optim::{Averaged, Optimiser, OptimiserState, Sgd};
use crate::sparse::{LayerState, initialise};
use crate::topology::Scope;

/// What a network is for, which decides what is recorded and resident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Steps, rounds and evaluations.
    Training,
    /// Forward passes alone.
    Evaluation,
    /// Gradients of the loss in [tiles](crate::network::Network::gradient_tiles), for a dense network that is not trained.
    Gradients,
    /// The same for the gradients of the sum of the logits.
    Flow,
    /// Forward passes, and [gradients at the input](super::Network::input_gradients) of what they compute.
    InputGradients,
}

impl Purpose {
    /// Whether the weights' gradients leave the device tile by tile.
    pub fn in_tiles(self) -> bool {
        matches!(self, Purpose::Gradients | Purpose::Flow)
    }
}

/// What forward passes use, if not every connection: in each layer those with the largest |theta|.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// How many in each layer.
    pub counts: Vec<usize>,
    /// L2 penalty on the others, in addition to the optimiser's.
    pub decay: f32,
}

/// What a network does in a step, besides its layers.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// Maximum number of images in a batch.
    pub batch: usize,
    /// Images that are on the device at once; `None`: the largest divisor of the batch that fits.
    pub micro_batch: Option<usize>,
    /// What training minimises.
    pub loss: Arc<dyn Loss>,
    /// What the network is evaluated by, besides the loss.
    pub metric: Option<Arc<dyn Metric>>,
    /// Whether samples have weights in training: [`Batch::weights`](crate::data::Batch::weights).
    pub weighted: bool,
    /// Whether samples with a class are mixed in training: [`Targets::Mixed`](crate::data::Targets::Mixed). The loss
    /// has to use [`Comparison::mixed`](crate::loss::Comparison::mixed).
    pub mixed: bool,
    /// The optimiser.
    pub optimiser: Arc<dyn Optimiser>,
    /// The norm to which the gradients of all trained numbers together are scaled down before the optimiser's step, if
    /// any.
    pub clip: Option<f32>,
    /// The set within which a round ranks.
    pub scope: Scope,
    /// Candidates that a round draws per active connection.
    pub gamma: f64,
    /// Whether they must be distinct inactive pairs, drawn again until all are found.
    pub distinct: bool,
    /// Number of batches that score them: the step's own, and further ones.
    pub round_batches: usize,
    /// Density from which a layer's products are dense: `None`, as measured for this kind of device; above 1, never.
    /// Rounds that change how many connections a layer has keep all of them sparse.
    pub dense_above: Option<f64>,
    /// Whether consecutive kernels run as one if there is a fused kernel for both; `None`: only on hardware, where a
    /// dispatch costs more than work that is done twice. Sums are then in another order.
    pub fused: Option<bool>,
    /// What it is for.
    pub purpose: Purpose,
    /// The ledger's class of its connections.
    pub class: Class,
    /// Connections of each layer that forward passes use, if not all.
    pub forward: Option<Forward>,
    /// Whether most activations are dropped after the forward pass, and recomputed for the backward pass.
    pub recompute: bool,
    /// How activations and, [with less range](Precision::of_gradients), their gradients are stored: everything that
    /// layers pass to one another. The input, the logits and the gradient at them stay f32, which the loss reads and
    /// writes; so do weights, gradients of weights, and statistics of norms, which are sums.
    pub activations: Precision,
    /// How gradients travel between ranks, if several train together: f32, or rounded to bf16.
    pub exchange: Precision,
    /// Whether every activation and delta gets its own memory, so that tests can read it.
    pub keep: bool,
}

impl NetworkOptions {
    /// A starting point: plain cross-entropy, accuracy, plain SGD.
    pub fn of_batch(batch: usize) -> Self {
        NetworkOptions {
            batch,
            micro_batch: None,
            loss: Arc::new(CrossEntropy::default()),
            metric: Some(Arc::new(Accuracy)),
            weighted: false,
            mixed: false,
            optimiser: Arc::new(Sgd::PLAIN),
            clip: None,
            scope: Scope::Layer,
            gamma: 1.0,
            distinct: false,
            round_batches: 1,
            dense_above: None,
            fused: None,
            purpose: Purpose::Training,
            class: Class::Connections,
            forward: None,
            recompute: false,
            activations: Precision::F32,
            exchange: Precision::F32,
            keep: false,
        }
    }

    /// Whether consecutive kernels run as one on this device.
    pub fn fuses(&self, device: &Device) -> bool {
        let shape = device.shape();
        let hardware = shape.is_some_and(|shape| shape.family == ShapeFamily::Hardware);
        self.fused.unwrap_or(hardware)
    }

    /// For evaluation alone: nothing that only training needs is resident.
    pub fn evaluation(batch: usize) -> Self {
        NetworkOptions {
            purpose: Purpose::Evaluation,
            ..Self::of_batch(batch)
        }
    }

    /// Checks that its numbers can be used.
    ///
    /// # Errors
    /// [`Error::Value`] names one that cannot.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |option, must: &str, value: String| {
            Err(Error::Value {
                option,
                must: must.to_owned(),
                value,
            })
        };
        // Indices on the device are 32-bit words.
        let most = u32::MAX as usize - 3;
        if !(1..most).contains(&self.batch) {
            let must = "must be at least 1 sample, and below 2^32";
            return refuse("batch", must, self.batch.to_string());
        }
        if self.micro_batch == Some(0) {
            return refuse("micro_batch", "must be at least 1 sample", "0".to_owned());
        }
        match self.dense_above {
            Some(density) if density.is_nan() || density < 0.0 => {
                let must = "must be a density of 0 or more, above 1 for never";
                refuse("dense_above", must, density.to_string())
            }
            _ => Ok(()),
        }
    }
}

/// What is trained, on the host: connections with their biases, and dense parameters, both in the model's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NetworkState {
    /// The sparse layers.
    pub layers: Vec<LayerState>,
    /// The name of the optimiser whose arrays are with the numbers; `None` if it has not begun.
    pub optimiser: Option<String>,
    /// The dense parameters of the layers that have some: norms, and your own layers.
    pub parameters: Vec<ParameterState>,
    /// For each layer `[n_out][n_in]`: the weights of all pairs, if the method keeps dense ones beside its network. The
    /// network's own weights are in `layers`; for existing connections the values here are out of date.
    pub dense_weights: Vec<Vec<f32>>,
}

impl NetworkState {
    /// Draws a network with `counts` connections in its layers; dense parameters start as their layers say.
    pub fn initialise(model: &Model, counts: &[u64], seed: u32) -> Self {
        let sparse = model.sparse();
        let layers = sparse.iter().zip(counts).enumerate();
        NetworkState {
            layers: layers
                .map(|(l, (layer, &count))| {
                    let mut state = initialise(layer.shape, count, seed, l as u32);
                    if !layer.bias {
                        state.bias.fill(0.0);
                    }
                    state
                })
                .collect(),
            optimiser: None,
            parameters: (model.parameters().iter())
                .map(|(kind, parameters)| ParameterState::new(kind, parameters))
                .collect(),
            dense_weights: Vec::new(),
        }
    }

    /// Checks that the sizes are those of the model.
    ///
    /// # Errors
    /// They are not.
    pub fn check(&self, model: &Model) -> Result<()> {
        let shapes = model.shapes();
        let layers = self.layers.len() == shapes.len()
            && (self.layers.iter().zip(&shapes))
                .all(|(l, s)| (l.n_in, l.n_out) == (s.n_in, s.n_out));
        let declared = model.parameters();
        let dense = self.parameters.len() == declared.len()
            && (self.parameters.iter().zip(&declared))
                .all(|(state, (kind, parameters))| state.fits(kind, parameters));
        match layers && dense {
            true => Ok(()),
            false => Err(Error::Shape(Misfit::Unfit {
                found: "the layers' sizes".to_owned(),
                expected: format!("the model {}", model.name()),
            })),
        }
    }

    /// Whether a network with this optimiser can continue from it: it began with that optimiser, or has not begun.
    pub(super) fn check_optimiser(&self, optimiser: &dyn Optimiser) -> Result<()> {
        match &self.optimiser {
            Some(begun) if begun != optimiser.name() => Err(Error::OtherOptimiser {
                own: optimiser.name().to_owned(),
                begun: begun.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// The network to test: if the optimiser kept moving averages, these in place of the weights, without the
    /// optimiser's arrays; otherwise `None`, and the state itself is tested.
    pub fn averaged(&self) -> Option<Self> {
        let mut is_there = false;
        let mut averages = |values: &mut Vec<f32>, state: &OptimiserState| {
            let found = state.f32(Averaged::NAME);
            if !found.is_empty() && found.len() == values.len() {
                values.copy_from_slice(found);
                is_there = true;
            }
        };
        let mut state = self.clone();
        for layer in &mut state.layers {
            averages(&mut layer.values, &layer.state);
            averages(&mut layer.bias, &layer.bias_state);
        }
        for array in state.parameters.iter_mut().flat_map(|l| &mut l.arrays) {
            averages(&mut array.values, &array.state);
        }
        is_there.then(|| state.without_optimiser())
    }

    /// The weights alone, for another optimiser to begin with.
    pub fn without_optimiser(mut self) -> Self {
        self.optimiser = None;
        for layer in &mut self.layers {
            layer.state = OptimiserState::default();
            layer.bias_state = OptimiserState::default();
        }
        let arrays = self
            .parameters
            .iter_mut()
            .flat_map(|layer| &mut layer.arrays);
        arrays.for_each(|array| array.state = OptimiserState::default());
        self
    }

    /// The first number that is not finite.
    pub fn not_finite(&self) -> Option<f32> {
        let layers = || self.layers.iter();
        let arrays = || self.parameters.iter().flat_map(|layer| &layer.arrays);
        let weights = layers().flat_map(|l| [&l.values, &l.bias]);
        let weights = weights
            .chain(arrays().map(|a| &a.values))
            .chain(&self.dense_weights);
        let states = layers().flat_map(|l| [&l.state, &l.bias_state]);
        let states = states.chain(arrays().map(|a| &a.state));
        (weights.flatten().copied())
            .chain(states.flat_map(OptimiserState::reals))
            .find(|v| !v.is_finite())
    }
}
