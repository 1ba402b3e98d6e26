//! An optimiser of your own, with two moments and an age for every number, trained through rounds, saved and resumed:
//! `cargo run --release --example custom_optimiser -- [ADAPTER]`.
//!
//! The optimiser consists of `aged.rs` and the shader beside it. Every checkpoint has its arrays under their names, and
//! what it keeps for a connection follows the connection through the rounds.

mod aged;

use std::sync::Arc;

use aged::AgedMoments;
use rootlet::Result;
use rootlet::checkpoint;
use rootlet::data::{self, DataOptions};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::model::mlp;
use rootlet::topology::method;
use rootlet::train::{Event, Hooks, SaveEvery, Setup, TrainConfig, Trainer};

fn trainer(adapter: &str, config: &TrainConfig) -> Result<Trainer> {
    let device = Device::open(adapter, &DeviceOptions::default())?;
    let digits = data::load(&DataOptions::default())?;
    let model = mlp(digits.shape.extent(), &[64, 64], digits.classes)?;
    let optimiser = AgedMoments {
        beta1: 0.9,
        beta2: 0.99,
        grown_up: 8.0,
    };
    let setup = Setup {
        method: method("gse-graest")?,
        optimiser: Arc::new(optimiser),
        ..Setup::of(config, model)?
    };
    Trainer::with_setup(device, config.clone(), digits, setup)
}

fn main() -> Result<()> {
    let adapter = std::env::args().nth(1).unwrap_or("auto".into());
    let mut config = TrainConfig::default();
    config.model.sparsity = 0.9;
    config.run.epochs = 4;
    config.topology.round_every = 10;
    config.optimiser.lr = Some(0.3);
    config.run.steps = Some(30);
    let run = std::env::temp_dir().join(format!("rootlet-optimiser-{}", std::process::id()));

    // Thirty steps, with rounds among them and a save at the end.
    let mut quiet = |_: &Event| Ok(());
    let mut save = |snapshot: &checkpoint::Snapshot| checkpoint::save(&run, snapshot, "epochs = 4");
    trainer(&adapter, &config)?.run(&mut Hooks {
        save: Some(&mut save),
        save_every: SaveEvery::default(),
        ..Hooks::observing(&mut quiet)
    })?;

    // A new trainer continues from the file to the end.
    config.run.steps = None;
    let mut second = trainer(&adapter, &config)?;
    second.restore(checkpoint::load(&run)?.snapshot)?;
    let mut show = |event: &Event| {
        if let Event::Epoch(e) = event {
            let accuracy = e.test_accuracy * 100.0;
            println!("epoch {}: test accuracy {accuracy:.1} %", e.epoch);
        }
        Ok(())
    };
    second.run(&mut Hooks::observing(&mut show))?;
    let layers = second.snapshot()?.state.layers;
    let ages = layers.iter().flat_map(|layer| layer.state.u32("age"));
    println!("the youngest connection has {:?} steps", ages.min());
    std::fs::remove_dir_all(&run).map_err(rootlet::Error::io("remove", &run))
}
