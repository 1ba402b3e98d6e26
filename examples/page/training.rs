//! What the page trains; nothing here is specific to pages.

use std::fmt::{self, Display, Formatter};
use std::hash::{DefaultHasher, Hasher};

use rootlet::Result;
use rootlet::data::{self, DataOptions};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::network::NetworkState;
use rootlet::train::{Event, Hooks, TrainConfig, Trainer};

/// The result of a training.
pub struct Trained {
    /// The mean loss of the test images.
    pub loss: f32,
    /// The share of the test images that are classified correctly.
    pub accuracy: f32,
    /// Topology rounds that replaced connections.
    pub rounds: u64,
    /// Connections that the rounds grew.
    pub grown: u64,
    /// A hash of the connections, their weights and the biases before the first step.
    pub begun: u64,
    /// The same at the end.
    pub ended: u64,
}

impl Display for Trained {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Trained {
            loss,
            accuracy,
            rounds,
            grown,
            begun,
            ended,
        } = self;
        write!(
            f,
            "loss {loss}, accuracy {accuracy}, rounds {rounds}, grown {grown}, begun {begun:016x}, ended {ended:016x}"
        )
    }
}

/// Trains a sparse perceptron on the embedded digits, on one thread; `tell` receives a line for every epoch and round.
pub fn train(mut tell: impl FnMut(&str)) -> Result<Trained> {
    let digits = data::load(&DataOptions::default())?;
    let options = DeviceOptions {
        threads: 1,
        ..DeviceOptions::default()
    };
    let device = Device::open("cpu", &options)?;
    let mut config = TrainConfig::default();
    config.model.hidden = vec![64];
    config.model.sparsity = 0.8;
    config.run.epochs = 4;
    config.run.batch = 32;
    config.topology.round_every = 30;
    let mut trainer = Trainer::new(device, config, digits)?;
    let begun = hash(&trainer.snapshot()?.state);

    let mut grown = 0;
    let mut show = |event: &Event| {
        match event {
            Event::Round(round) => {
                let new: u64 = round.layers.iter().map(|layer| layer.grown).sum();
                grown += new;
                tell(&format!(
                    "step {}: {new} connections replaced, {:.3} s",
                    round.step, round.seconds
                ));
            }
            Event::Epoch(epoch) => tell(&format!(
                "epoch {}: loss {:.4}, {:.1} % of the test images, {:.3} s",
                epoch.epoch,
                epoch.train_loss,
                epoch.test_accuracy * 100.0,
                epoch.seconds
            )),
            _ => {}
        }
        Ok(())
    };
    let finished = trainer.run(&mut Hooks::observing(&mut show))?;
    Ok(Trained {
        loss: finished.test_loss,
        accuracy: finished.test_accuracy,
        rounds: finished.rounds.unwrap_or_default(),
        grown,
        begun,
        ended: hash(&trainer.snapshot()?.state),
    })
}

fn hash(state: &NetworkState) -> u64 {
    let mut hash = DefaultHasher::new();
    for layer in &state.layers {
        for index in layer.crow_indices.iter().chain(&layer.col_indices) {
            hash.write(&index.to_le_bytes());
        }
        for value in layer.values.iter().chain(&layer.bias) {
            hash.write(&value.to_le_bytes());
        }
    }
    hash.finish()
}
