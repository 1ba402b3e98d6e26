//! Trains a sparse network on the embedded digits and evaluates it: `cargo run --release --example quick_start`.

use rootlet::Result;
use rootlet::data::{self, DataOptions};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::train::{Event, Hooks, TrainConfig, Trainer};

fn main() -> Result<()> {
    let digits = data::load(&DataOptions::default())?;
    let device = Device::open("auto", &DeviceOptions::default())?;
    let mut config = TrainConfig::default();
    config.model.hidden = vec![256, 256];
    config.model.sparsity = 0.95; // 5 of 100 connections exist
    config.run.epochs = 10;
    let mut trainer = Trainer::new(device, config, digits)?;

    // The trainer reports what happens; the caller decides what to show.
    let mut show = |event: &Event| {
        match event {
            Event::Started(s) => println!("{} connections on {}", s.connections, s.adapter),
            Event::Epoch(e) => println!("epoch {:2}: loss {:.4}", e.epoch, e.train_loss),
            _ => {}
        }
        Ok(())
    };
    trainer.run(&mut Hooks::observing(&mut show))?;

    let test = trainer.evaluate()?;
    println!(
        "{:.1} % of {} test images",
        test.accuracy * 100.0,
        test.images
    );
    Ok(())
}
