//! A problem: something small that uses a few kernels, each of which is compared with its twin.

use std::sync::Arc;

use crate::data::{Batch, TargetKind};
use crate::engine::random::{pcg4d, unit};
use crate::engine::{Device, KernelCheck, Plan, Precision, StepState};
use crate::error::Result;
use crate::loss::{Comparison, CrossEntropy, Loss};
use crate::model::{Extent, Model};
use crate::network::{Forward, Network, NetworkOptions, NetworkState};
use crate::optim::{AdamW, Averaged, Optimiser, OptimiserState, Sgd};
use crate::topology::{Scope, method};

/// Seed of everything that is drawn.
const SEED: u32 = 20_260_131;

type Work = Box<dyn Fn(&Device) -> Result<Vec<KernelCheck>>>;

/// Something to run and compare with the twins.
pub(super) struct Problem {
    /// Its name, with its sizes.
    pub name: String,
    /// Whether it belongs to the quick form.
    pub quick: bool,
    work: Work,
}

impl Problem {
    pub fn new(
        name: impl Into<String>,
        work: impl Fn(&Device) -> Result<Vec<KernelCheck>> + 'static,
    ) -> Self {
        Problem {
            name: name.into(),
            quick: false,
            work: Box::new(work),
        }
    }

    /// The same problem, in or out of the quick form.
    pub fn quick(self, quick: bool) -> Self {
        Problem { quick, ..self }
    }

    pub fn run(&self, device: &Device) -> Result<Vec<KernelCheck>> {
        (self.work)(device)
    }
}

/// Numbers to compute with, equal on every machine.
pub(super) struct Numbers(u32);

impl Numbers {
    pub fn new(seed: u32) -> Self {
        Numbers(seed)
    }

    pub fn word(&mut self) -> u32 {
        self.0 = self.0.wrapping_add(1);
        pcg4d([SEED, self.0, 0, 0])[0]
    }

    /// A number in [-1, 1).
    pub fn real(&mut self) -> f32 {
        unit(self.word()) * 2.0 - 1.0
    }

    pub fn reals(&mut self, length: usize) -> Vec<f32> {
        (0..length).map(|_| self.real()).collect()
    }

    pub fn words(&mut self, length: usize) -> Vec<u32> {
        (0..length).map(|_| self.word()).collect()
    }
}

/// How the products of a trial's layers are computed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path {
    /// From lists of connections; the number is their density.
    Sparse(f64),
    /// Densely, although some connections are missing.
    Expanded,
    /// Densely, with all connections.
    Full,
}

impl Path {
    pub const ALL: [Path; 3] = [Path::Sparse(0.4), Path::Expanded, Path::Full];

    fn density(self) -> f64 {
        match self {
            Path::Sparse(density) => density,
            Path::Expanded => 0.6,
            Path::Full => 1.0,
        }
    }
}

impl std::fmt::Display for Path {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Path::Sparse(density) => write!(f, "density {density}"),
            Path::Expanded => write!(f, "density 0.6 as dense"),
            Path::Full => write!(f, "dense"),
        }
    }
}

/// A training step of a small network, an evaluation, and for methods with rounds a step with one.
#[derive(Clone)]
pub(super) struct Trial {
    pub model: Model,
    pub path: Path,
    pub batch: usize,
    /// Number of parts that the batch is split into.
    pub parts: usize,
    pub method: &'static str,
    pub scope: Scope,
    /// Whether forward passes use half of the connections (Top-KAST).
    pub forward_half: bool,
    /// How activations are stored.
    pub activations: Precision,
    /// Whether kernels are fused; none means the default of this kind of adapter.
    pub fused: Option<bool>,
    /// Whether AdamW trains it with clipped gradients and averaged weights, from weights that no optimiser has moved.
    pub adamw: bool,
}

impl Trial {
    /// A static network whose batch is not split.
    pub fn new(model: Model, path: Path, batch: usize) -> Self {
        Trial {
            model,
            path,
            batch,
            parts: 1,
            method: "static",
            scope: Scope::Layer,
            forward_half: false,
            activations: Precision::F32,
            fused: None,
            adamw: false,
        }
    }

    pub fn into_problem(self) -> Problem {
        let mut name = format!("{}, batch {}, {}", self.model.name(), self.batch, self.path);
        name += match self.fused {
            None => "",
            Some(true) => ", fused",
            Some(false) => ", not fused",
        };
        if self.adamw {
            name += ", AdamW";
        }
        if self.parts > 1 {
            name += &format!(" in {} parts", self.parts);
        }
        if self.method != "static" {
            let scope = match self.scope {
                Scope::Layer => "by layer",
                Scope::Global => "globally",
            };
            name += &format!(", {} {scope}", self.method);
        }
        if self.activations.is_half() {
            name += &format!(", activations in {}", self.activations);
        }
        Problem::new(name, move |device| self.run(device))
    }

    fn run(&self, device: &Device) -> Result<Vec<KernelCheck>> {
        let method = method(self.method)?;
        let mut state = drawn(&self.model, self.path.density());
        let mut options = options(self.batch);
        if self.adamw {
            state = state.without_optimiser();
            let adamw = Arc::new(AdamW::new([0.9, 0.999], 1e-3, 0.1)?);
            options.optimiser = Arc::new(Averaged::new(adamw, 0.75)?);
            options.clip = Some(0.01);
        }
        let options = NetworkOptions {
            micro_batch: Some(self.batch / self.parts),
            scope: self.scope,
            // Half of the methods that draw repeat their draws until they are distinct.
            distinct: self.scope == Scope::Global && self.method.starts_with("gse"),
            dense_above: Some(match self.path {
                Path::Sparse(_) => 1.1,
                Path::Expanded | Path::Full => 0.0,
            }),
            forward: self.forward_half.then(|| Forward {
                counts: state
                    .layers
                    .iter()
                    .map(|l| l.active().div_ceil(2))
                    .collect(),
                decay: 0.01,
            }),
            activations: self.activations,
            fused: self.fused,
            ..options
        };
        let mut network = Network::new(device, &self.model, &state, &options, method.as_ref())?;
        let parts = parts(&self.model, &network, self.batch, 0);
        let step = |step| StepState::whole(SEED, step, self.batch, 0.05);
        let mut checks = network.train_parts_checked(device, &parts, step(0), "")?;
        if network.round.is_dynamic() {
            let (_, round) =
                network.train_with_round(device, &parts, step(1), 0.3, None, Some(""))?;
            checks.extend(round);
        }
        checks.extend(network.exchange_checked(device, "")?);
        network.load(device, &parts[0])?;
        let part = StepState::whole(SEED, 0, parts[0].count, 0.0);
        checks.extend(network.test_checked(device, part, "")?);
        Ok(checks)
    }
}

/// SGD with all its options.
const OPTIMISER: Sgd = Sgd {
    momentum: 0.9,
    weight_decay: 5e-4,
    nesterov: true,
};

/// Cross-entropy that leaves the accuracy to the metric, so that the metric's kernel runs as well.
#[derive(Debug)]
struct LossAlone(CrossEntropy);

impl Loss for LossAlone {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn targets(&self, outputs: usize) -> TargetKind {
        self.0.targets(outputs)
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        self.0.record(plan, pass)
    }
}

/// The options of the networks besides their layers: everything that the optimiser and the loss can do.
pub(super) fn options(batch: usize) -> NetworkOptions {
    NetworkOptions {
        loss: Arc::new(LossAlone(CrossEntropy { smoothing: 0.1 })),
        optimiser: Arc::new(OPTIMISER),
        ..NetworkOptions::of_batch(batch)
    }
}

/// A network in the middle of a training: the only zeros are those that stay zero.
pub(super) fn drawn(model: &Model, density: f64) -> NetworkState {
    let count = |dense: u64| ((dense as f64 * density).ceil() as u64).clamp(1, dense);
    let counts: Vec<u64> = model.shapes().iter().map(|s| count(s.dense())).collect();
    let mut state = NetworkState::initialise(model, &counts, SEED);
    let numbers = &mut Numbers::new(1);
    let mut fill = |values: &mut Vec<f32>, middle: f32, spread: f32| {
        (values.iter_mut()).for_each(|v| *v = middle + spread * numbers.real());
    };
    state.optimiser = Some(OPTIMISER.name().to_owned());
    let begun = |weights: &[f32]| OptimiserState::starting(&OPTIMISER.state(), weights);
    for (layer, node) in state.layers.iter_mut().zip(model.sparse()) {
        (layer.state, layer.bias_state) = (begun(&layer.values), begun(&layer.bias));
        (layer.state.reals_mut()).for_each(|array| fill(array, 0.0, 0.01));
        (layer.bias_state.reals_mut()).for_each(|array| fill(array, 0.0, 0.01));
        if !node.bias {
            (layer.bias_state.reals_mut()).for_each(|array| array.fill(0.0));
        }
    }
    for layer in &mut state.parameters {
        for array in &mut layer.arrays {
            let start = array.values.first().copied().unwrap_or(0.0);
            fill(&mut array.values, start, 0.5);
            if array.trained {
                array.state = begun(&array.values);
                (array.state.reals_mut()).for_each(|array| fill(array, 0.0, 0.01));
            }
        }
    }
    state
}

/// A batch of random images, in the parts that the network takes; `number` distinguishes batches.
pub(super) fn parts(model: &Model, network: &Network, batch: usize, number: u32) -> Vec<Batch> {
    let (features, lanes) = (model.input().size(), network.lanes());
    let mut numbers = Numbers::new(1000 * (number + 1));
    let sizes = (0..batch).step_by(network.micro_batch());
    sizes
        .enumerate()
        .map(|(index, first)| {
            let count = network.micro_batch().min(batch - first);
            let mut inputs = numbers.reals(features * lanes);
            for row in inputs.chunks_mut(lanes) {
                row[count..].fill(0.0);
            }
            let mut labels = vec![0; lanes];
            for label in &mut labels[..count] {
                *label = numbers.word() % model.classes() as u32;
            }
            Batch {
                inputs,
                targets: labels.into(),
                count,
                weights: Vec::new(),
                index: index as u64,
            }
        })
        .collect()
}

/// A plane of channels.
pub(super) fn image(channels: usize, height: usize, width: usize) -> Extent {
    Extent {
        channels,
        height,
        width,
    }
}
