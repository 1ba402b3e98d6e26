//! The memory that is reported before a training is what the training holds, within 5 %: for every method, on the CPU
//! executor and on an adapter.

use rootlet::data::{self, DataOptions, Dataset, ImageShape, Split};
use rootlet::engine::{Class, Device, Precision};
use rootlet::topology::MethodName;
use rootlet::train::{TrainConfig, Trainer};

use crate::{cpu, gpu, run};

/// Trains, including rounds, and compares; without the images, which a device may keep.
fn compare(device: Device, config: &TrainConfig, data: Dataset, what: &str) {
    let told = config.memory(data.shape, data.classes).unwrap();
    let told: u64 = (told.iter())
        .filter(|(class, _)| class != Class::Data.name())
        .map(|(_, bytes)| bytes)
        .sum();
    let mut trainer = Trainer::new(device, config.clone(), data).unwrap();
    let (log, result) = run(&mut trainer);
    result.unwrap();
    let has_rounds = trainer.network().round().is_dynamic();
    assert!(!has_rounds || !log.rounds.is_empty(), "{what}: no round");
    let ledger = trainer.device().ledger();
    let held = ledger.peak_total() - ledger.at_peak(Class::Data);
    let share = told as f64 / held as f64;
    println!("{what}: {told} bytes told, {held} held, {share:.3}");
    // Lists of connections, which come with the first pruning, take more than dense weights.
    let prunes_later = [MethodName::Gradual, MethodName::Lottery].contains(&config.topology.method);
    let most = if prunes_later {
        0.4..=1.05
    } else {
        0.95..=1.05
    };
    assert!(
        most.contains(&share),
        "{what}: {told} bytes told, {held} held"
    );
}

fn digits() -> Dataset {
    data::load(&DataOptions::default()).unwrap()
}

fn config(method: MethodName) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.topology.method = method;
    config.model.hidden = vec![300, 200];
    config.topology.round_every = 5;
    config.topology.round_until = Some(1.0);
    config.run.epochs = 2;
    config.run.steps = Some(12);
    config
}

#[test]
fn every_method_holds_what_is_told() {
    for method in MethodName::ALL {
        compare(
            cpu(),
            &config(method),
            digits(),
            &format!("{method:?} on cpu"),
        );
        // An adapter also holds the parameters of kernels, which are large compared with a small network.
        let mut wide = config(method);
        wide.model.hidden = vec![1500, 1000];
        compare(gpu(), &wide, digits(), &format!("{method:?} on an adapter"));
    }
}

/// Noise with the shape of CIFAR's images.
fn images() -> Dataset {
    let shape = ImageShape {
        channels: 3,
        height: 32,
        width: 32,
    };
    let bytes = |count: usize| (0..count * 3072).map(|i| ((i * 7919) >> 3) as u8).collect();
    let split = |count: usize| {
        Split::new(
            3072,
            bytes(count),
            (0..count as u32).map(|i| i % 10).collect(),
        )
        .unwrap()
    };
    let normalisation = data::Normalisation {
        mean: vec![0.5; 3],
        std: vec![0.25; 3],
    };
    Dataset {
        normalisation,
        ..Dataset::new("noise", shape, split(32), split(10)).unwrap()
    }
}

#[test]
fn models_hold_what_is_told() {
    for (model, change) in [
        ("resnet20", (|_| ()) as fn(&mut TrainConfig)),
        ("resnet20", |config| {
            config.machine.checkpoint_activations = true
        }),
        ("simple-vit-tiny", |config| {
            config.machine.activations = Precision::Bf16
        }),
    ] {
        let mut config = config(MethodName::GseUniform);
        config.model.name = model.to_owned();
        config.model.sparsity = 0.98;
        config.run.batch = 16;
        config.run.steps = Some(2);
        config.topology.round_every = 1;
        change(&mut config);
        compare(cpu(), &config, images(), model);
    }
}
