//! From a checkpoint to numbers: `cargo run --release --example predict [RUN]`. RUN is the folder of a run on the
//! digits, or one of its checkpoints; without it, one is trained first.

use std::path::PathBuf;

use rootlet::data::{self, DataOptions};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::train::{Event, Hooks, Predictor, TrainConfig, Trainer};
use rootlet::{Result, checkpoint};

/// Trains for a moment and saves a checkpoint.
fn trained() -> Result<PathBuf> {
    let config = TrainConfig::default().to_toml()?;
    let device = Device::open("auto", &DeviceOptions::default())?;
    let digits = data::load(&DataOptions::default())?;
    let mut trainer = Trainer::new(device, TrainConfig::default(), digits)?;
    trainer.run(&mut Hooks::observing(&mut |_: &Event| Ok(())))?;
    let folder = std::env::temp_dir().join(format!("rootlet-predict-{}", std::process::id()));
    checkpoint::save(&folder, &trainer.snapshot()?, &config)
}

pub(crate) fn main() -> Result<()> {
    let run = std::env::args().nth(1).map(PathBuf::from);
    let run = match run.filter(|run| run.is_dir()) {
        Some(run) => run,
        None => trained()?,
    };
    let predictor = Predictor::load(&run)?;
    let digits = data::load(&DataOptions::default())?;
    let found = predictor.predict_all(&digits.test)?;
    let probabilities = found.probabilities();
    let mut right = 0;
    for (i, &class) in found.classes().iter().enumerate() {
        right += usize::from(class == digits.test.label(i) as usize);
        if i < 5 {
            let name = &predictor.class_names()[class];
            let probability = probabilities[i * digits.classes + class];
            println!("image {i}: {name} with probability {probability:.3}");
        }
    }
    println!("{right} of {} are right", found.len());
    Ok(())
}
