//! A training step of models by name, and where its time goes.

use std::collections::BTreeMap;

use super::reference::noise;
use super::timing::time_calls;
use super::{BenchOptions, Finding};
use crate::data::Batch;
use crate::engine::random::{below, pcg4d};
use crate::engine::{Class, Device, StepState};
use crate::error::{Error, Result};
use crate::model::{Extent, ModelOptions, by_name};
use crate::network::{Network, NetworkOptions, NetworkState};
use crate::optim::SgdOptions;
use crate::sparse::{Assignment, allocate};
use crate::topology::method;

/// A training step of a model on 32×32 colour images of 10 classes.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ModelFigure {
    /// The model's name.
    pub model: String,
    /// Overall sparsity, as asked for.
    pub sparsity: f64,
    /// Members of the batch.
    pub batch: usize,
    /// Active connections.
    pub connections: usize,
    /// Median of a training step on a batch that is in place: forward, loss, backward, SGD with momentum.
    pub seconds: f64,
    /// Most bytes resident at once, by class.
    pub bytes: BTreeMap<&'static str, u64>,
    /// Kernels, the costliest first, from one step whose dispatches were timed one by one.
    pub kernels: Vec<KernelTime>,
}

/// What a kernel's dispatches of a step take together.
#[derive(Clone, Debug, serde::Serialize)]
pub struct KernelTime {
    /// Its name.
    pub kernel: &'static str,
    /// Its dispatches.
    pub calls: usize,
    /// Their time.
    pub seconds: f64,
    /// Share of the step's time.
    pub share: f64,
    /// Rate of the bytes that it must move at least: everything that it has bound, once.
    pub gb_s: f64,
}

const CLASSES: usize = 10;

/// Steps that are timed dispatch by dispatch.
const TIMED: usize = 3;

/// Measures each of `options.models`.
pub(super) fn measure(
    options: &BenchOptions,
    observe: &mut dyn FnMut(Finding<'_>),
) -> Result<Vec<ModelFigure>> {
    let mut figures = Vec::new();
    for name in &options.models {
        let figure = measure_one(options, name)?;
        observe(Finding::Model(&figure));
        figures.push(figure);
    }
    Ok(figures)
}

fn measure_one(options: &BenchOptions, name: &str) -> Result<ModelFigure> {
    let device = options.open()?;
    let input = Extent {
        channels: 3,
        height: 32,
        width: 32,
    };
    let model = by_name(
        name,
        &ModelOptions {
            input,
            classes: CLASSES,
            width: 1.0,
            hidden: &[1024, 1024],
        },
    )?;
    let counts = allocate(
        &model.shapes(),
        options.step_sparsity,
        Assignment::ErdosRenyi,
    )?;
    let state = NetworkState::draw(&model, &counts, 1);
    let batch = options.batch;
    let network_options = NetworkOptions {
        // Whole, so that a step is a step.
        micro_batch: Some(batch),
        recompute: options.checkpoint_activations,
        sgd: SgdOptions {
            momentum: 0.9,
            weight_decay: 1e-4,
            nesterov: false,
        },
        ..NetworkOptions::of_batch(batch)
    };
    let method = method("static")?;
    let network = Network::new(&device, &model, &state, &network_options, method.as_ref())?;
    let stride = network.stride();
    let mut labels = vec![0; stride];
    for (i, label) in labels[..batch].iter_mut().enumerate() {
        *label = below(pcg4d([3, 0, 0, i as u32])[0], CLASSES as u32);
    }
    network.load(
        &device,
        &Batch {
            inputs: noise(input.size(), batch, stride, 1),
            labels,
            count: batch,
            index: 0,
        },
    )?;
    let mut done = 0u64;
    let mut next = || {
        done += 1;
        StepState::whole(1, done as u32 - 1, batch, 1e-2)
    };
    let loss = |step: u64| -> Result<f64> {
        let results = network.train_results(&device, step..step + 1)?;
        Ok(results
            .iter()
            .map(|r| f64::from(r.loss) / batch as f64)
            .sum())
    };
    network.train(&device, next())?;
    let first = loss(0)?;
    let seconds = time_calls(&device, options.budget, || network.train(&device, next()))?;
    let mut kernels: BTreeMap<&'static str, KernelTime> = BTreeMap::new();
    for _ in 0..TIMED {
        for time in network.train_timed(&device, next())? {
            let kernel = kernels.entry(time.kernel).or_insert(KernelTime {
                kernel: time.kernel,
                calls: 0,
                seconds: 0.0,
                share: 0.0,
                gb_s: 0.0,
            });
            kernel.calls += 1;
            kernel.seconds += time.seconds;
            // Bytes until they are divided by the time below.
            kernel.gb_s += time.bytes as f64 * 1e-9;
        }
    }
    let last = loss(done - 1)?;
    if !(last.is_finite() && last < first) {
        return Err(Error::Device(format!(
            "{} computes the training step of {name} wrongly: after {done} steps on one batch the loss is {last}, and it was \
             {first}. Update its driver, or choose another --adapter",
            device.name()
        )));
    }
    let total: f64 = kernels.values().map(|k| k.seconds).sum();
    let mut kernels: Vec<KernelTime> = kernels
        .into_values()
        .map(|k| KernelTime {
            calls: k.calls / TIMED,
            seconds: k.seconds / TIMED as f64,
            share: k.seconds / total,
            gb_s: k.gb_s / k.seconds,
            ..k
        })
        .collect();
    kernels.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    Ok(ModelFigure {
        model: name.to_owned(),
        sparsity: options.step_sparsity,
        batch,
        connections: network.arena.connections,
        seconds,
        bytes: bytes(&device),
        kernels,
    })
}

fn bytes(device: &Device) -> BTreeMap<&'static str, u64> {
    let ledger = device.ledger();
    Class::ALL
        .iter()
        .map(|&class| (class.name(), ledger.peak(class)))
        .collect()
}
