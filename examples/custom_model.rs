//! A model of your own: `cargo run --release --example custom_model`.
//!
//! A model is a list of layers. All its convolutions and linear layers are sparse, and take part in the rounds.

use rootlet::Result;
use rootlet::data::{self, DataOptions};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::model::{Builder, Extent, Model};
use rootlet::train::{Event, Hooks, Setup, TrainConfig, Trainer};

/// Two convolutions with a shortcut around the second.
fn small_net(input: Extent, classes: usize) -> Result<Model> {
    let mut net = Builder::new("small-net", input);
    let x = net.input();
    let x = net.conv("conv0", x, 16, 3, 1, 1)?;
    let x = net.batch_norm_relu("norm0", x);
    let y = net.conv("conv1", x, 16, 3, 1, 1)?;
    let x = net.batch_norm_add_relu("norm1", y, x)?;
    let x = net.max_pool(x, 2, 2, 0)?;
    let x = net.flatten(x);
    let logits = net.linear("classifier", x, classes);
    net.finish(logits)
}

fn main() -> Result<()> {
    let mut config = TrainConfig::default();
    config.model.sparsity = 0.9;
    config.run.epochs = 5;
    let device = Device::open("auto", &DeviceOptions::default())?;
    let digits = data::load(&DataOptions::default())?;
    let model = small_net(digits.shape.extent(), digits.classes)?;
    let setup = Setup::of(&config, model)?;
    let mut trainer = Trainer::with_setup(device, config, digits, setup)?;
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
    let end = trainer.run(&mut Hooks::observing(&mut show))?;
    println!("test accuracy {:.1} %", end.test_accuracy * 100.0);
    Ok(())
}
