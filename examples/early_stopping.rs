//! Stops a training if its validation part was no better for three epochs, and tests its best weights once:
//! `cargo run --release --example early_stopping`.

use rootlet::Result;
use rootlet::data::{self, DataOptions};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::train::{Event, Hooks, TrainConfig, Trainer};

pub(crate) fn main() -> Result<()> {
    let mut config = TrainConfig::default();
    config.run.epochs = 40;
    config.run.patience = Some(3);
    config.run.best_metric = "loss".to_owned();
    // The digits have test images: those that choose the weights are held out of the others.
    let digits = data::load(&DataOptions {
        val_split: Some(0.2),
        ..DataOptions::default()
    })?;
    let device = Device::open("auto", &DeviceOptions::default())?;
    let mut trainer = Trainer::new(device, config, digits)?;
    let mut watch = |event: &Event| {
        if let Event::Epoch(epoch) = event {
            let (part, results) = epoch.monitored();
            println!("epoch {}: {part} loss {:.4}", epoch.epoch, results.loss);
        }
        Ok(())
    };
    let end = trainer.run(&mut Hooks::observing(&mut watch))?;
    if let Some(best) = &end.best {
        println!("{} epochs; the best was {}", end.epochs, best.epoch);
    }
    println!("its test accuracy is {:.1} %", end.test_accuracy * 100.0);
    Ok(())
}
