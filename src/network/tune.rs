//! Measures, ahead of a model's training, how it runs fastest: the variants of its kernels, and whether consecutive
//! kernels run as one.

use super::on_device::Network;
use super::options::{NetworkOptions, NetworkState};
use crate::busy::{Watch, apart, disturbed};
use crate::data::{Batch, Targets};
use crate::engine::random::pcg4d;
use crate::engine::tune::Tuned;
use crate::engine::{Device, Program, StepState};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::topology::{Method, MethodName, MethodOptions};

/// Measures the variants of the kernels of a training step of `model` with `counts` connections in its layers, on a
/// `device` that tunes, and returns the measurements. Of the options, only the batch and the storage of activations
/// matter. What the device has chosen before stays.
///
/// # Errors
/// The device has no variants, or the model does not fit on it.
pub fn tune(
    device: &Device,
    model: &Model,
    counts: &[u64],
    options: &NetworkOptions,
) -> Result<Vec<Tuned>> {
    if !device.tunes() {
        return Err(Error::OnCpu {
            what: "which have no variants",
        });
    }
    let method: Box<dyn Method> = MethodName::Static.build(&MethodOptions::default());
    let state = NetworkState::initialise(model, counts, 0);
    Network::new(device, model, &state, options, method.as_ref())?;
    Ok(device.measured())
}

/// The time of a training step with consecutive kernels fused and apart: see [`NetworkOptions::fused`].
#[derive(Clone, Debug, PartialEq)]
pub struct StepTuned {
    /// The model's [class](step_class).
    pub class: String,
    /// Device seconds with fused kernels.
    pub fused_seconds: f64,
    /// The same with kernels apart.
    pub apart_seconds: f64,
    /// Whether fused kernels are chosen.
    pub fused: bool,
    /// Why the times cannot be trusted; then the device's own choice is kept.
    pub doubt: Option<String>,
}

/// What the time of a step depends on, for a model with so many connections in its layers.
pub fn step_class(model: &Model, counts: &[u64], options: &NetworkOptions) -> String {
    let connections: u64 = counts.iter().sum();
    format!(
        "{} inputs={} classes={} connections={connections} batch={} {}",
        model.name(),
        model.input().size(),
        model.classes(),
        options.batch,
        options.activations
    )
}

/// Number of timed steps of a network, after one that is not timed.
const STEPS: usize = 3;

/// Number of networks of each kind, made in turns, so that they need not fit together.
const TURNS: usize = 2;

/// How much faster the alternative to the device's own choice must be.
const GAIN: f64 = 1.03;

/// Measures training steps on noise with fused kernels and apart; `None` if this model has nothing to fuse. The choice
/// changes the order of sums, so it is part of a training, as [`NetworkOptions::fused`].
///
/// # Errors
/// The model does not fit on the device.
pub fn tune_step(
    device: &Device,
    model: &Model,
    counts: &[u64],
    options: &NetworkOptions,
) -> Result<Option<StepTuned>> {
    let state = NetworkState::initialise(model, counts, 0);
    let usual = options.fuses(device);
    let mut times = [Vec::new(), Vec::new()];
    let mut dispatches = [0, 0];
    let watch = Watch::start(device.threads());
    for _ in 0..TURNS {
        for (kind, fused) in [true, false].into_iter().enumerate() {
            let options = NetworkOptions {
                fused: Some(fused),
                ..options.clone()
            };
            let (seconds, count) = steps(device, model, &state, &options)?;
            times[kind].extend(seconds);
            dispatches[kind] = count;
        }
        if dispatches[0] == dispatches[1] {
            return Ok(None);
        }
    }
    let doubt = disturbed(&watch.usage()).or_else(|| times.iter().find_map(|t| scattered(t)));
    let doubt = doubt.filter(|_| !device.keeps_doubtful());
    let [fused_seconds, apart_seconds] =
        times.map(|times| times.into_iter().fold(f64::INFINITY, f64::min));
    let fused = match (usual, doubt.is_some()) {
        (usual, true) => usual,
        (true, false) => apart_seconds * GAIN >= fused_seconds,
        (false, false) => fused_seconds * GAIN < apart_seconds,
    };
    Ok(Some(StepTuned {
        class: step_class(model, counts, options),
        fused_seconds,
        apart_seconds,
        fused,
        doubt,
    }))
}

/// Device seconds for some steps on noise, and the number of dispatches in one.
fn steps(
    device: &Device,
    model: &Model,
    state: &NetworkState,
    options: &NetworkOptions,
) -> Result<(Vec<f64>, usize)> {
    let method: Box<dyn Method> = MethodName::Static.build(&MethodOptions::default());
    let network = Network::new(device, model, state, options, method.as_ref())?;
    let (lanes, part) = (network.lanes(), network.micro_batch());
    let noise = |i: usize| pcg4d([i as u32, 0, 0, 0])[0] as f32 / (1u32 << 31) as f32 - 1.0;
    let batch = Batch {
        inputs: (0..model.input().size() * lanes).map(noise).collect(),
        targets: Targets::zeros(network.targets(), lanes),
        count: part,
        weights: Vec::new(),
        index: 0,
    };
    let parts: Vec<Batch> = vec![batch; options.batch.div_ceil(part)];
    let mut seconds = Vec::new();
    for step in 0..=STEPS {
        // Nothing is learned: the weights stay, and so do their magnitudes.
        let state = StepState::whole(0, step as u32, part * parts.len(), 0.0);
        let times = network.train_parts_timed(device, &parts, state)?;
        if step > 0 {
            seconds.push(times.phases.iter().map(|time| time.seconds).sum());
        }
    }
    Ok((seconds, network.step_programs().map(Program::len).sum()))
}

/// Why times of one thing cannot be trusted.
fn scattered(times: &[f64]) -> Option<String> {
    let mut times = times.to_vec();
    times.sort_by(f64::total_cmp);
    let quarter = times.len() / 4;
    let (q1, q3) = (times.get(quarter)?, times.get(times.len() - 1 - quarter)?);
    apart(*q1, *q3, times.len())
}
