//! A layer of your own, with parameters and kernels, trained, saved and resumed:
//! `cargo run --release --example custom_layer -- [ADAPTER]`.
//!
//! The layer consists of `prelu.rs` and the three shaders beside it. Wherever it is used in a model, the optimiser
//! trains its slopes, and every checkpoint has them under the layer's kind.

mod prelu;

use prelu::PreluLayer;
use rootlet::Result;
use rootlet::checkpoint;
use rootlet::data::{self, DataOptions};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::model::{Builder, Extent, Model};
use rootlet::train::{Event, Hooks, SaveEvery, Setup, TrainConfig, Trainer};

fn model(input: Extent, classes: usize) -> Result<Model> {
    let mut net = Builder::new("prelu-net", input);
    let x = net.input();
    let x = net.conv("conv", x, 16, 3, 1, 1)?;
    let x = net.batch_norm("norm", x);
    let x = net.layer("prelu", PreluLayer, &[x])?;
    let x = net.max_pool(x, 2, 2, 0)?;
    let x = net.flatten(x);
    let logits = net.linear("classifier", x, classes);
    net.finish(logits)
}

fn trainer(adapter: &str, config: &TrainConfig) -> Result<Trainer> {
    let device = Device::open(adapter, &DeviceOptions::default())?;
    let digits = data::load(&DataOptions::default())?;
    let model = model(digits.shape.extent(), digits.classes)?;
    let setup = Setup::of(config, model)?;
    Trainer::with_setup(device, config.clone(), digits, setup)
}

fn main() -> Result<()> {
    let adapter = std::env::args().nth(1).unwrap_or("auto".into());
    let mut config = TrainConfig::default();
    config.model.sparsity = 0.9;
    config.run.epochs = 4;
    config.run.steps = Some(20);
    let run = std::env::temp_dir().join(format!("rootlet-custom-layer-{}", std::process::id()));

    // Twenty steps, with a save at the end.
    let mut first = trainer(&adapter, &config)?;
    let mut quiet = |_: &Event| Ok(());
    let text = toml_of(&config);
    let mut save = |snapshot: &checkpoint::Snapshot| checkpoint::save(&run, snapshot, &text);
    let mut hooks = Hooks {
        save: Some(&mut save),
        save_every: SaveEvery::default(),
        ..Hooks::observing(&mut quiet)
    };
    first.run(&mut hooks)?;

    // A new trainer continues from the file to the end.
    config.run.steps = None;
    let mut second = trainer(&adapter, &config)?;
    second.restore(checkpoint::load(&run)?.snapshot)?;
    let mut show = |event: &Event| {
        if let Event::Epoch(e) = event {
            println!(
                "epoch {}: test accuracy {:.1} %",
                e.epoch,
                e.test_accuracy * 100.0
            );
        }
        Ok(())
    };
    second.run(&mut Hooks::observing(&mut show))?;
    let slopes = second.snapshot()?.state.parameters;
    println!("slopes: {:.2?}", slopes[1].values("slope"));
    std::fs::remove_dir_all(&run).map_err(rootlet::Error::io("remove", &run))
}

/// What the checkpoint records about the run; the program itself knows the rest.
fn toml_of(config: &TrainConfig) -> String {
    format!(
        "sparsity = {}\nepochs = {}\n",
        config.model.sparsity, config.run.epochs
    )
}
