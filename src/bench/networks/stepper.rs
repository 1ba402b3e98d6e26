//! A network with a random batch in place, whose training steps and rounds are timed. Perceptrons and models share it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::bench::measuring::timing::{Measured, gather, time_calls};
use crate::bench::products::reference::noise;
use crate::clock::Instant;
use crate::data::Batch;
use crate::engine::random::{below, pcg4d};
use crate::engine::{Class, Device, DispatchTime, Precision, StepState};
use crate::error::{Error, Fault, Result};
use crate::model::Model;
use crate::network::{Network, NetworkOptions, NetworkState};
use crate::optim::Sgd;
use crate::topology::method;

/// Bytes by class.
pub type Bytes = BTreeMap<String, u64>;

/// Share of the connections that a measured round exchanges.
const ALPHA: f64 = 0.2;

/// Number of classes of the random batches.
pub(in crate::bench) const CLASSES: usize = 10;

/// The method whose rounds are measured.
const METHOD: &str = "gse-uniform";

/// How a network is trained while it is measured.
#[derive(Clone, Copy, Debug)]
pub(in crate::bench) struct Training {
    /// Batch size.
    pub batch: usize,
    /// Learning rate, low enough that thousands of steps on one batch leave ordinary numbers.
    pub rate: f32,
    /// L2 penalty.
    pub weight_decay: f32,
    /// How activations and their gradients are stored.
    pub activations: Precision,
    /// Whether most activations are recomputed.
    pub recompute: bool,
}

/// A network on a device of its own, whose ledger then counts nothing else.
pub(in crate::bench) struct Stepper {
    pub device: Device,
    pub connections: usize,
    /// Its name in messages.
    name: String,
    trainer: Trainer,
    first_loss: f64,
}

struct Trainer {
    network: Network,
    batch: Batch,
    rate: f32,
    /// Number of steps done.
    done: u64,
    /// Seconds that the last round took outside its step.
    round_seconds: f64,
}

impl Trainer {
    /// The state of the next step.
    fn next(&mut self) -> StepState {
        self.done += 1;
        StepState::whole(1, self.done as u32 - 1, self.batch.count, self.rate)
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
            .train_with_round(device, parts, state, ALPHA, None, None)?;
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
}

impl Stepper {
    /// Puts a model in the given state and a random batch on `device`, and does one step.
    pub fn new(
        device: Device,
        name: &str,
        model: &Model,
        state: &NetworkState,
        training: Training,
    ) -> Result<Self> {
        let Training {
            batch: count,
            rate,
            weight_decay,
            activations,
            recompute,
        } = training;
        let options = NetworkOptions {
            // The whole batch at once, so that a step is not split.
            micro_batch: Some(count),
            activations,
            recompute,
            optimiser: Arc::new(Sgd {
                momentum: 0.9,
                weight_decay,
                nesterov: false,
            }),
            ..NetworkOptions::of_batch(count)
        };
        let method = method(METHOD)?;
        let network = Network::new(&device, model, state, &options, method.as_ref())?;
        let lanes = network.lanes();
        let mut labels = vec![0u32; lanes];
        for (i, label) in labels[..count].iter_mut().enumerate() {
            *label = below(pcg4d([3, 0, 0, i as u32])[0], CLASSES as u32);
        }
        let batch = Batch {
            inputs: noise(model.input().size(), count, lanes, 1),
            targets: labels.into(),
            count,
            weights: Vec::new(),
            index: 0,
        };
        network.load(&device, &batch)?;
        let mut stepper = Stepper {
            device,
            connections: network.arena.connections,
            name: name.to_owned(),
            trainer: Trainer {
                network,
                batch,
                rate,
                done: 0,
                round_seconds: 0.0,
            },
            first_loss: f64::NAN,
        };
        stepper.first_loss = stepper.step()?;
        Ok(stepper)
    }

    /// The batch.
    pub fn batch(&self) -> &Batch {
        &self.trainer.batch
    }

    /// Mean loss of the first step.
    pub fn first_loss(&self) -> f64 {
        self.first_loss
    }

    /// Does another step and gives its mean loss before the update.
    pub fn step(&mut self) -> Result<f64> {
        self.trainer.train(&self.device)?;
        self.last_loss()
    }

    fn last_loss(&self) -> Result<f64> {
        let Trainer {
            network,
            batch,
            done,
            ..
        } = &self.trainer;
        let results = network.train_results(&self.device, done - 1..*done)?;
        let sum: f64 = results.iter().map(|r| f64::from(r.loss)).sum();
        Ok(sum / batch.count as f64)
    }

    /// Seconds of a training step: forward, loss, backward, SGD with momentum. The loss on the batch must have fallen.
    pub fn time_steps(&mut self, budget: Duration) -> Result<Measured> {
        let Stepper {
            device, trainer, ..
        } = self;
        let measured = time_calls(device, budget, || trainer.train(device))?;
        let (first, last) = (self.first_loss, self.last_loss()?);
        match last < first {
            true => Ok(measured),
            false => Err(Error::Device(Fault::Wrong {
                adapter: self.device.name().to_owned(),
                what: format!("the training step of {}", self.name),
                how: format!(
                    "after {} steps on one batch the loss is {last}, and it was {first}",
                    self.trainer.done
                ),
            })),
        }
    }

    /// Seconds that a round adds to a step, including the read-back of its report.
    pub fn time_rounds(&mut self, budget: Duration) -> Result<Measured> {
        let Stepper {
            device, trainer, ..
        } = self;
        // There is a plain step between two steps with a round, as in training; otherwise the second round would find
        // the first one's connections still at zero. The cost is what a round adds to a step.
        let mut pair = || {
            let plain = trainer.timed(device, Trainer::train)?;
            let whole = trainer.timed(device, Trainer::train_with_round)?;
            // On a busy machine the plain step may take longer; the round's own part was timed separately.
            Ok((whole - plain).max(trainer.round_seconds))
        };
        pair()?;
        gather(device.threads(), budget, pair)
    }

    /// Does one step with each dispatch timed by itself. This must come last, see [`Device::run_timed`].
    pub fn dispatches(&mut self) -> Result<Vec<DispatchTime>> {
        let state = self.trainer.next();
        self.trainer.network.train_timed(&self.device, state)
    }

    /// Most bytes resident at once, by class.
    pub fn bytes(&self) -> Bytes {
        let ledger = self.device.ledger();
        Class::ALL
            .iter()
            .map(|&class| (class.name().to_owned(), ledger.peak(class)))
            .collect()
    }
}
