//! Losing a device on the way does not change the end of a run.
#![allow(clippy::unwrap_used)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use common::Random;
use rootlet::Result;
use rootlet::data::{self, DataOptions};
use rootlet::engine::Device;
use rootlet::report::{Place, RecordOptions, RecordedTraining, Style, run_through_losses};
use rootlet::topology::MethodName;
use rootlet::train::{SaveEvery, TrainConfig};

fn config(adapter: &str, epochs: u32) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.hidden = vec![24, 16];
    config.model.sparsity = 0.8;
    config.machine.adapter = adapter.to_owned();
    config.machine.threads = 1;
    config.run.batch = 32;
    config.run.epochs = epochs;
    config.topology.round_every = 7;
    config.topology.round_until = Some(f64::from(epochs));
    config.topology.method = MethodName::GseGrabo;
    config.data.limit = Some(300);
    config
}

/// A run in `runs`, on devices that `watch` sees when they are opened; gives its folder and its end.
fn train(
    runs: &Path,
    config: TrainConfig,
    save_every: SaveEvery,
    watch: impl FnMut(&Device),
) -> (PathBuf, Result<u64>) {
    let data = data::load(&DataOptions {
        limit: Some(300),
        ..DataOptions::default()
    });
    let options = RecordOptions {
        style: Style::Quiet,
        save_every,
        verify: false,
        tensorboard: false,
        command: "a test".into(),
        ranks: None,
    };
    let place = Place::New {
        runs: runs.to_owned(),
        name: "run".into(),
    };
    let data = data.unwrap();
    let mut watch = watch;
    let mut prepare = |config, place, note: &mut dyn FnMut(&str)| {
        let training =
            RecordedTraining::prepare(config, data.clone(), None, place, &options, note)?;
        watch(training.device());
        Ok(training)
    };
    let training = prepare(config, place, &mut |_| {}).unwrap();
    let folder = training.folder().to_owned();
    let never = AtomicBool::new(false);
    let end = run_through_losses(training, &mut prepare, &never, &mut |_| {});
    (folder, end.map(|recorded| recorded.finished.step))
}

fn newest(run: &Path) -> Vec<u8> {
    let mut all: Vec<_> = fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    all.sort();
    fs::read(all.pop().unwrap().join("model.safetensors")).unwrap()
}

/// A table without the columns of times.
fn table(run: &Path, name: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(run.join(name)).unwrap();
    let names = reader.headers().unwrap().clone();
    let timeless = |i: &usize| !["seconds", "images_per_second"].contains(&&names[*i]);
    let kept: Vec<usize> = (0..names.len()).filter(timeless).collect();
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| kept.iter().map(|&i| row[i].to_owned()).collect())
        .collect()
}

#[track_caller]
fn assert_same(run: &Path, other: &Path) {
    assert!(newest(run) == newest(other), "the models differ");
    for name in ["metrics.csv", "topology.csv"] {
        assert_eq!(table(run, name), table(other, name), "{name}");
    }
}

#[test]
fn a_hundred_losses_change_no_bit() {
    const LOSSES: usize = 100;
    let desk = tempfile::tempdir().unwrap();
    let (unbroken, end) = train(
        desk.path(),
        config("cpu", 120),
        SaveEvery::default(),
        |_| {},
    );
    let steps = end.unwrap();
    let (mut opened, mut random) = (0, Random(5));
    let (broken, end) = train(
        desk.path(),
        config("cpu", 120),
        SaveEvery::Steps(2),
        |device| {
            if opened < LOSSES {
                // Some with hardly a step done, most later: within steps, rounds, evaluations and saves.
                device.lose_after(match opened % 5 {
                    0 => 1 + u64::from(random.word() % 20),
                    _ => 100 + u64::from(random.word() % 120),
                });
            }
            opened += 1;
        },
    );
    assert_eq!(end.unwrap(), steps);
    assert_eq!(opened, LOSSES + 1, "not all were lost");
    assert_same(&unbroken, &broken);
    // One process did all of it.
    let summary = fs::read_to_string(broken.join("summary.json")).unwrap();
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    assert_eq!(summary["commands"].as_array().unwrap().len(), 1);
}

#[test]
fn a_gpu_that_is_lost_is_opened_again() {
    let adapter = common::adapters()[0].index.to_string();
    let desk = tempfile::tempdir().unwrap();
    let config = || config(&adapter, 4);
    let (unbroken, end) = train(desk.path(), config(), SaveEvery::default(), |_| {});
    let steps = end.unwrap();
    let mut number = 0;
    // Before the first checkpoint, and after it.
    let (broken, end) = train(desk.path(), config(), SaveEvery::Steps(3), |device| {
        number += 1;
        if number < 3 {
            device.lose_after(if number == 1 { 8 } else { 60 });
        }
    });
    assert_eq!(end.unwrap(), steps);
    assert_same(&unbroken, &broken);
}

#[test]
fn three_losses_without_progress_stop_with_the_checkpoint_whole() {
    let desk = tempfile::tempdir().unwrap();
    let mut opened = 0;
    let (run, end) = train(desk.path(), config("cpu", 80), SaveEvery::Steps(5), |d| {
        opened += 1;
        d.lose_after(if opened == 1 { 400 } else { 10 });
    });
    let message = end.unwrap_err().to_string();
    for part in ["lost", "3 times", "--resume"] {
        assert!(message.contains(part), "no `{part}` in {message}");
    }
    let checkpoint = rootlet::checkpoint::load(&run).unwrap();
    assert!(checkpoint.snapshot.progress.step > 0);
    assert!(checkpoint.note.is_none(), "{:?}", checkpoint.note);
    let summary = fs::read_to_string(run.join("summary.json")).unwrap();
    assert!(summary.contains("3 times"), "{summary}");
}
