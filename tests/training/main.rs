//! Training as a whole: the same bits again, resumed or unbroken; nothing dense in memory; every method learns.
#![allow(clippy::unwrap_used)]

mod accounting;
mod adapters_agree;
mod averages;
mod check;
mod diverged;
mod from_dense;
mod further;
mod fused;
mod halves;
mod host;
mod initial;
mod learn;
mod memory;
mod models_memory;
#[path = "../common/norms.rs"]
#[allow(dead_code)] // Each test program uses its part.
mod norms;
mod paced;
mod parts;
mod repeat;
mod resume;
mod rigl;
mod rounds;
mod slices;
mod told_memory;
mod topkast;
mod variants;
mod very_sparse;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use rootlet::checkpoint::Snapshot;
use rootlet::data::{self, Batch, DataOptions, Dataset, Targets};
use rootlet::engine::{Device, DeviceOptions, Pace, WorkgroupShape, adapter};
use rootlet::topology::from_dense::Start;
use rootlet::topology::{MethodName, MethodOptions, Scope};
use rootlet::train::event::{Epoch, Finished, Round};
use rootlet::train::{Event, Hooks, SaveEvery, TrainConfig, Trainer};

/// The methods that are sparse from the first step to the last.
fn methods() -> impl Iterator<Item = MethodName> {
    let is_sparse = |name: &MethodName| {
        let method = name.build(&MethodOptions::default());
        matches!(method.start(), Start::Random)
    };
    MethodName::ALL.into_iter().filter(is_sparse)
}

const SCOPES: [Scope; 2] = [Scope::Layer, Scope::Global];

fn cpu() -> Device {
    Device::cpu(0).unwrap()
}

/// The first adapter of this machine, on continuous integration a software one. None is a failure.
fn gpu() -> Device {
    open(DeviceOptions::default())
}

/// It in a workgroup shape, with programs cut so.
fn paced(pace: Pace, shape: WorkgroupShape) -> Device {
    open(DeviceOptions {
        pace: Some(pace),
        shape: Some(shape),
        ..DeviceOptions::default()
    })
}

fn open(options: DeviceOptions) -> Device {
    let adapters = adapter::list();
    let first = adapters.iter().find(|a| a.usable).expect(
        "no wgpu adapter; `apt-get install mesa-vulkan-drivers libvulkan1` installs a software one",
    );
    Device::open(&first.index.to_string(), &options).unwrap()
}

/// The embedded digits, or the first `limit` of each half.
fn digits(limit: Option<usize>) -> Dataset {
    data::load(&DataOptions {
        limit,
        ..DataOptions::default()
    })
    .unwrap()
}

/// Images of [`noise_batch`].
const NOISE: usize = 8;

/// Eight images of 8 × 8 random pixels, of ten classes; the seed tells batches apart.
fn noise_batch(seed: u32) -> Batch {
    let mut word = seed;
    let mut next = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        word >> 8
    };
    Batch {
        inputs: (0..64 * NOISE)
            .map(|_| next() as f32 / (1 << 23) as f32 - 1.0)
            .collect(),
        targets: Targets::Labels((0..NOISE).map(|_| next() % 10).collect()),
        count: NOISE,
        weights: Vec::new(),
        index: 0,
    }
}

/// A small model on the digits: 46 steps an epoch, the last on 2 images.
fn small() -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.hidden = vec![48, 32];
    config.model.sparsity = 0.8;
    config.run.epochs = 2;
    config.topology.round_every = 10;
    config.topology.round_until = Some(2.0);
    config
}

/// What a run told and saved.
#[derive(Debug, Default)]
struct Log {
    rounds: Vec<Round>,
    epochs: Vec<Epoch>,
    notes: Vec<String>,
    finished: Option<Finished>,
    saved: Vec<Snapshot>,
}

/// Runs a trainer to its end, or to its error.
fn run(trainer: &mut Trainer) -> (Log, rootlet::Result<Finished>) {
    let mut log = Log::default();
    let mut saved = Vec::new();
    let mut observer = |event: &Event| -> rootlet::Result<()> {
        match event {
            Event::Round(round) => log.rounds.push(round.clone()),
            Event::Epoch(epoch) => log.epochs.push(epoch.clone()),
            Event::Note(note) => log.notes.push(note.clone()),
            Event::Finished(finished) => log.finished = Some(finished.clone()),
            _ => {}
        }
        Ok(())
    };
    let mut save = |snapshot: &Snapshot| {
        saved.push(snapshot.clone());
        Ok(PathBuf::from("nowhere"))
    };
    let result = trainer.run(&mut Hooks {
        observer: &mut observer,
        save: Some(&mut save),
        save_every: SaveEvery::Epochs(1),
        best: None,
        run: None,
        stop: &AtomicBool::new(false),
    });
    log.saved = saved;
    (log, result)
}

/// Trains a fresh network to its end: what it told, and the network.
fn train(device: Device, config: &TrainConfig, data: &Dataset) -> (Log, Snapshot) {
    let mut trainer = Trainer::new(device, config.clone(), data.clone()).unwrap();
    let (log, result) = run(&mut trainer);
    result.unwrap();
    let snapshot = trainer.snapshot().unwrap();
    (log, snapshot)
}

/// What SGD keeps.
const MOMENTUM: &str = "momentum";

/// What is also kept if weights are averaged.
const AVERAGE: &str = "ema";

/// Everything of a snapshot but the time, as bits.
fn bits(snapshot: &Snapshot) -> Vec<u64> {
    let mut bits = Vec::new();
    for layer in &snapshot.state.layers {
        bits.extend([layer.n_in as u64, layer.n_out as u64]);
        let indices = layer.crow_indices.iter().chain(&layer.col_indices);
        bits.extend(indices.map(|&i| u64::from(i)));
        for reals in [
            &layer.values[..],
            layer.state.f32(MOMENTUM),
            &layer.bias,
            layer.bias_state.f32(MOMENTUM),
            layer.state.f32(AVERAGE),
            layer.bias_state.f32(AVERAGE),
        ] {
            bits.extend(reals.iter().map(|r| u64::from(r.to_bits())));
        }
    }
    for layer in &snapshot.state.parameters {
        bits.extend(norms::numbers(layer).map(|r| u64::from(r.to_bits())));
    }
    let dense_weights = snapshot.state.dense_weights.iter().flatten();
    bits.extend(dense_weights.map(|r| u64::from(r.to_bits())));
    let p = &snapshot.progress;
    bits.extend([p.step, u64::from(p.epoch), p.batch, p.loss_sum.to_bits()]);
    bits.extend([
        p.score_sum.to_bits(),
        p.seen,
        p.rounds,
        p.train_flops.to_bits(),
    ]);
    for past in &snapshot.past {
        let indices = past.crow_indices.iter().chain(&past.col_indices);
        bits.extend(indices.map(|&i| u64::from(i)));
    }
    bits
}

/// Epochs and rounds as reported, except for the time that they took.
fn told(log: &Log, after: u64) -> (Vec<Round>, Vec<Epoch>) {
    let rounds = log.rounds.iter().filter(|r| r.step > after).cloned();
    let epochs = log.epochs.iter().filter(|e| e.step > after).cloned();
    (
        rounds.map(|r| Round { seconds: 0.0, ..r }).collect(),
        epochs
            .map(|e| Epoch {
                seconds: 0.0,
                images_per_second: 0.0,
                ..e
            })
            .collect(),
    )
}
