//! One training step and one prune-and-grow round of a whole network, and how both grow with its width.

use std::collections::BTreeMap;
use std::time::Instant;

use super::reference::{judge, mean_loss, noise};
use super::timing::{median_of, time_calls};
use super::{BenchOptions, Finding};
use crate::data::Batch;
use crate::engine::random::{below, pcg4d};
use crate::engine::{Class, Device, StepState};
use crate::error::{Error, Result};
use crate::model::{Extent, Model, mlp};
use crate::network::{Network, NetworkOptions, NetworkState};
use crate::optim::SgdOptions;
use crate::sparse::{Assignment, LayerState, allocate, draw};
use crate::topology::method;

/// A training step and a round of 3072-h-h-10, measured.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StepFigure {
    /// The widths, such as "3072-4096-4096-10".
    pub model: String,
    /// Overall sparsity, as asked for.
    pub sparsity: f64,
    /// Members of the batch.
    pub batch: usize,
    /// Median of a training step on a batch that is in place: forward, loss, backward, SGD with momentum.
    pub seconds: f64,
    /// Median of what a round of gse-uniform adds to a step, its report's read-back included.
    pub round_seconds: f64,
    /// What a round costs in training steps.
    pub round_in_steps: f64,
    /// Connections of all layers.
    pub connections: usize,
    /// Connections of each layer.
    pub layers: Vec<usize>,
    /// Most bytes resident at once, by class, with the round's work space.
    pub bytes: BTreeMap<&'static str, u64>,
    /// Loss of the first step against the host's own in f64, relative.
    pub max_error: f64,
}

/// One width of the scaling part.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ScalingFigure {
    /// Units of every layer but the last.
    pub n: usize,
    /// Connections of all layers.
    pub connections: usize,
    /// Median of a training step.
    pub step_seconds: f64,
    /// Median of a round.
    pub round_seconds: f64,
    /// Most bytes resident at once, all classes.
    pub resident_bytes: u64,
}

/// Exponents e of `c · n^e`, fitted by least squares on the logarithms.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Exponents {
    /// Of a step's seconds.
    pub step_seconds: f64,
    /// Of a round's seconds.
    pub round_seconds: f64,
    /// Of the resident bytes.
    pub resident_bytes: f64,
}

/// Connections of each output unit in the scaling part: dense at 32 inputs, 99.8 % sparse at 16384.
const CONNECTIONS_PER_UNIT: usize = 32;

/// Features of a 32×32 colour image.
const FEATURES: usize = 3072;

/// Classes.
const CLASSES: usize = 10;

/// Share of the connections that a measured round exchanges.
const ALPHA: f64 = 0.2;

/// Measures the step and the round of 3072-h-h-10 for every h of `options.sizes`.
pub(super) fn measure(
    options: &BenchOptions,
    observe: &mut dyn FnMut(Finding<'_>),
) -> Result<Vec<StepFigure>> {
    let mut figures = Vec::new();
    for &hidden in &options.sizes {
        let model = mlp(Extent::vector(FEATURES), &[hidden, hidden], CLASSES)?;
        let shapes = model.shapes();
        let counts = allocate(&shapes, options.step_sparsity, Assignment::ErdosRenyi)?;
        let counts: Vec<usize> = counts.into_iter().map(|n| n as usize).collect();
        let case = Case::new(options, &model, &counts)?;
        let figure = case.measure(options, format!("{FEATURES}-{hidden}-{hidden}-{CLASSES}"))?;
        observe(Finding::Step(&figure));
        figures.push(figure);
    }
    Ok(figures)
}

/// Measures n-n-n-10 at a fixed number of connections per output unit, for every n of `options.scaling_sizes`.
pub(super) fn scaling(
    options: &BenchOptions,
    observe: &mut dyn FnMut(Finding<'_>),
) -> Result<(Vec<ScalingFigure>, Option<Exponents>)> {
    let mut figures = Vec::new();
    for &n in &options.scaling_sizes {
        let model = mlp(Extent::vector(n), &[n, n], CLASSES)?;
        let counts: Vec<usize> = model
            .shapes()
            .iter()
            .map(|s| s.n_out * CONNECTIONS_PER_UNIT.min(s.n_in))
            .collect();
        let name = format!("{n}-{n}-{n}-{CLASSES}");
        let figure = Case::new(options, &model, &counts)?.measure(options, name)?;
        let figure = ScalingFigure {
            n,
            connections: figure.connections,
            step_seconds: figure.seconds,
            round_seconds: figure.round_seconds,
            resident_bytes: figure.bytes.values().sum(),
        };
        observe(Finding::Scaling(&figure));
        figures.push(figure);
    }
    let fit = |value: fn(&ScalingFigure) -> f64| {
        let points: Vec<(f64, f64)> = figures.iter().map(|f| (f.n as f64, value(f))).collect();
        exponent(&points)
    };
    let exponents = match (
        fit(|f| f.step_seconds),
        fit(|f| f.round_seconds),
        fit(|f| f.resident_bytes as f64),
    ) {
        (Some(step_seconds), Some(round_seconds), Some(resident_bytes)) => Some(Exponents {
            step_seconds,
            round_seconds,
            resident_bytes,
        }),
        _ => None,
    };
    if let Some(exponents) = &exponents {
        observe(Finding::Exponents(exponents));
    }
    Ok((figures, exponents))
}

/// Slope of log(y) over log(x) by least squares; none without two different x.
fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean =
        |axis: fn(&(f64, f64)) -> f64| logs.iter().map(axis).sum::<f64>() / logs.len() as f64;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let common: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (spread > 1e-12).then(|| common / spread)
}

/// A network with a random batch in place, on a device of its own: the ledger then holds nothing else.
struct Case {
    device: Device,
    layers: Vec<LayerState>,
    stepper: Stepper,
}

/// What a training step needs.
struct Stepper {
    network: Network,
    batch: Batch,
    /// Steps done.
    done: u64,
    /// What the last round took outside its step.
    round_seconds: f64,
}

impl Stepper {
    /// The state of the next step.
    fn next(&mut self) -> StepState {
        self.done += 1;
        // A low rate, so that thousands of steps on one batch leave ordinary numbers.
        StepState::whole(1, self.done as u32 - 1, self.batch.count, 1e-3)
    }

    fn train(&mut self, device: &Device) -> Result<()> {
        let state = self.next();
        self.network.train(device, state)
    }

    fn train_with_round(&mut self, device: &Device) -> Result<()> {
        let state = self.next();
        let parts = std::slice::from_ref(&self.batch);
        let (report, _) = self
            .network
            .train_with_round(device, parts, state, ALPHA, None)?;
        self.round_seconds = report.seconds;
        Ok(())
    }

    /// Seconds of a step, from an idle device to an idle device.
    fn timed(
        &mut self,
        device: &Device,
        step: impl FnOnce(&mut Self, &Device) -> Result<()>,
    ) -> Result<f64> {
        device.wait()?;
        let start = Instant::now();
        step(self, device)?;
        device.wait()?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// Mean loss of the last step, before its update.
    fn loss(&self, device: &Device) -> Result<f64> {
        let results = self
            .network
            .train_results(device, self.done - 1..self.done)?;
        let sum: f64 = results.iter().map(|r| f64::from(r.loss)).sum();
        Ok(sum / self.batch.count as f64)
    }
}

impl Case {
    fn new(options: &BenchOptions, model: &Model, counts: &[usize]) -> Result<Self> {
        let device = options.open()?;
        let layers: Vec<LayerState> = model
            .shapes()
            .iter()
            .zip(counts)
            .enumerate()
            .map(|(l, (&shape, &count))| draw(shape, count as u64, 1, l as u32))
            .collect();
        let network_options = NetworkOptions {
            sgd: SgdOptions {
                momentum: 0.9,
                weight_decay: 0.0,
                nesterov: false,
            },
            ..NetworkOptions::of_batch(options.batch)
        };
        let state = NetworkState {
            layers: layers.clone(),
            ..NetworkState::default()
        };
        let method = method("gse-uniform")?;
        let network = Network::new(&device, model, &state, &network_options, method.as_ref())?;
        let stride = network.stride();
        let mut labels = vec![0; stride];
        for (i, label) in labels[..options.batch].iter_mut().enumerate() {
            *label = below(pcg4d([3, 0, 0, i as u32])[0], CLASSES as u32);
        }
        let batch = Batch {
            inputs: noise(layers[0].n_in, options.batch, stride, 1),
            labels,
            count: options.batch,
            index: 0,
        };
        network.load(&device, &batch)?;
        Ok(Case {
            device,
            layers,
            stepper: Stepper {
                network,
                batch,
                done: 0,
                round_seconds: 0.0,
            },
        })
    }

    fn measure(self, options: &BenchOptions, model: String) -> Result<StepFigure> {
        let Case {
            device,
            layers,
            mut stepper,
        } = self;
        stepper.train(&device)?;
        let first = stepper.loss(&device)?;
        let expected = mean_loss(&layers, &stepper.batch);
        let max_error = (first - expected).abs() / expected;
        judge(max_error, device.name(), &format!("the loss of {model}"))?;

        let seconds = time_calls(&device, options.budget, || stepper.train(&device))?;
        let last = stepper.loss(&device)?;
        if last.is_nan() || last >= first {
            return Err(Error::Device(format!(
                "{} computes the training step of {model} wrongly: after {} steps on one batch the loss is {last}, and it \
                 was {first}. Update its driver, or choose another --adapter",
                device.name(),
                stepper.done
            )));
        }
        // A plain step between two steps with a round, as in training: the second round would else find the first one's
        // connections still at zero. What a round adds to a step is its cost.
        let mut pair = || {
            let plain = stepper.timed(&device, Stepper::train)?;
            let whole = stepper.timed(&device, Stepper::train_with_round)?;
            // On a busy machine the plain step may be the longer; the round's own part was timed by itself.
            Ok((whole - plain).max(stepper.round_seconds))
        };
        pair()?;
        let round_seconds = median_of(options.budget, pair)?;
        Ok(StepFigure {
            model,
            sparsity: options.step_sparsity,
            batch: options.batch,
            seconds,
            round_seconds,
            round_in_steps: round_seconds / seconds,
            connections: layers.iter().map(LayerState::active).sum(),
            layers: layers.iter().map(LayerState::active).collect(),
            bytes: Class::ALL
                .iter()
                .map(|&class| (class.name(), device.ledger().peak(class)))
                .collect(),
            max_error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_the_slopes_of_the_logarithms() {
        let points: Vec<(f64, f64)> = [1.0, 2.0, 4.0, 8.0]
            .iter()
            .map(|&n: &f64| (n, 3.0 * n.powf(1.25)))
            .collect();
        assert!((exponent(&points).unwrap() - 1.25).abs() < 1e-12);
        assert_eq!(exponent(&points[..1]), None);
        assert_eq!(exponent(&[]), None);
    }
}
