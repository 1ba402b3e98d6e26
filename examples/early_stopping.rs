//! Stops a training whose test loss has not fallen for two epochs, and returns to the best network:
//! `cargo run --release --example early_stopping`.

use std::sync::atomic::{AtomicBool, Ordering};

use rootlet::checkpoint::Snapshot;
use rootlet::data::{self, DataOptions};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::train::{Event, Hooks, SaveEvery, TrainConfig, Trainer};
use rootlet::{Error, Result};

pub(crate) fn main() -> Result<()> {
    let mut config = TrainConfig::default();
    config.run.epochs = 40;
    let device = Device::open("auto", &DeviceOptions::default())?;
    let mut trainer = Trainer::new(device, config, data::load(&DataOptions::default())?)?;

    let stop = AtomicBool::new(false);
    let (mut best, mut best_epoch) = (f32::INFINITY, 0);
    let mut watch = |event: &Event| {
        if let Event::Epoch(e) = event {
            if e.test_loss < best {
                (best, best_epoch) = (e.test_loss, e.epoch);
            }
            stop.store(e.epoch >= best_epoch + 2, Ordering::Relaxed);
        }
        Ok(())
    };
    let mut snapshots: Vec<Snapshot> = Vec::new();
    let mut keep = |snapshot: &Snapshot| {
        snapshots.push(snapshot.clone());
        Ok("memory".into())
    };
    let end = trainer.run(&mut Hooks {
        observer: &mut watch,
        save: Some(&mut keep),
        save_every: SaveEvery::Epochs(1),
        run: None,
        stop: &stop,
    })?;
    println!("{} epochs; the best was {best_epoch}", end.epochs);
    snapshots.retain(|kept| kept.progress.epoch == best_epoch);
    trainer.restore(snapshots.pop().ok_or(Error::Stopped)?)?;
    let accuracy = trainer.evaluate()?.accuracy;
    println!("the best's accuracy is {:.1} %", accuracy * 100.0);
    Ok(())
}
