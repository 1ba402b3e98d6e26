//! Trains on darkened digits, then continues with the real ones: the trained layers get a new last one.
//! `cargo run --release --example fine_tuning`.

use rootlet::data::{self, DataOptions, Dataset, Images, Split};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::train::{Event, Hooks, TrainConfig, Trainer};
use rootlet::{Error, Result};

fn darkened(images: &Images) -> Result<Images> {
    let split = images.memory().ok_or(Error::Stopped)?;
    let pixels = (0..split.len()).flat_map(|i| split.image(i).iter().map(|p| p / 2));
    let labels = split.labels().to_vec();
    let split = Split::new(split.features(), pixels.collect(), labels)?;
    Ok(split.into())
}

fn trainer(data: &Dataset, epochs: u32, lr: f64) -> Result<Trainer> {
    let mut config = TrainConfig::default();
    config.run.epochs = epochs;
    config.optimiser.lr = Some(lr);
    let device = Device::open("auto", &DeviceOptions::default())?;
    Trainer::new(device, config, data.clone())
}

pub(crate) fn main() -> Result<()> {
    let digits = data::load(&DataOptions::default())?;
    let dark = Dataset {
        train: darkened(&digits.train)?,
        test: darkened(&digits.test)?,
        ..digits.clone()
    };
    let mut quiet = |_: &Event| Ok(());
    let mut before = trainer(&dark, 5, 0.1)?;
    before.run(&mut Hooks::observing(&mut quiet))?;
    let trained = before.snapshot()?.state;

    let mut after = trainer(&digits, 2, 0.02)?;
    let mut state = after.snapshot()?.state;
    let kept = state.layers.len() - 1;
    state.layers[..kept].clone_from_slice(&trained.layers[..kept]);
    after.begin_with(&state)?;
    let end = after.run(&mut Hooks::observing(&mut quiet))?;
    println!("after two epochs: {:.1} %", end.test_accuracy * 100.0);
    Ok(())
}
