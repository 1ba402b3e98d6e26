//! Training with activations of 16 bits: half of the memory, almost the same numbers, resumed to the bit.

use crate::{bits, cpu, digits, gpu, run, small, train};
use rootlet::checkpoint;
use rootlet::engine::{Class, Device, Precision};
use rootlet::model::{Model, ModelOptions, by_name};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::sparse::{Assignment, allocate};
use rootlet::topology::{MethodName, method};
use rootlet::train::{TrainConfig, Trainer};

const HALVES: [Precision; 2] = [Precision::Bf16, Precision::F16];

fn resnet(activations: Precision) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.name = "resnet20".into();
    config.model.width = 0.25;
    config.model.sparsity = 0.8;
    config.topology.method = MethodName::GseUniform;
    config.data.augment = "none".into();
    // At a larger rate its losses jump, and rounding decides on which one it ends.
    config.run.epochs = 4;
    config.run.batch = 32;
    config.optimiser.lr = Some(0.02);
    config.topology.round_every = 5;
    config.topology.round_until = Some(2.0);
    config.machine.activations = activations;
    config
}

/// The first losses differ by the rounding of 20 layers' values, each by at most 2^-9 (bf16) or 2^-11 (f16) of its
/// size, most of which cancels in the sums. Executors differ by much less, since f32 sums rarely lie half-way between
/// two such numbers.
#[test]
fn a_resnet_learns_alike_in_16_bits_on_every_executor() {
    let data = digits(Some(300));
    let learn = |device: Device, activations| {
        let mut trainer = Trainer::new(device, resnet(activations), data.clone()).unwrap();
        let (log, result) = run(&mut trainer);
        result.unwrap();
        let first = trainer.network().train_results(trainer.device(), 0..1);
        let accuracy = log.finished.unwrap().test_accuracy;
        (first.unwrap()[0].loss / 32.0, accuracy)
    };
    let full = learn(cpu(), Precision::F32);
    for activations in HALVES {
        let (cpu, gpu) = (learn(cpu(), activations), learn(gpu(), activations));
        println!("{activations}: cpu {cpu:?}, gpu {gpu:?}, in f32 {full:?}");
        let most = if activations == Precision::Bf16 {
            2e-2
        } else {
            4e-3
        };
        assert!(cpu.0 != full.0, "{activations} changes nothing");
        assert!(
            (cpu.0 - full.0).abs() <= most,
            "{activations}: {cpu:?} {full:?}"
        );
        assert!(
            (gpu.0 - cpu.0).abs() <= most,
            "{activations}: {gpu:?} {cpu:?}"
        );
        assert!(
            cpu.1 > 0.3 && (cpu.1 - full.1).abs() <= 0.1,
            "{cpu:?} {full:?}"
        );
        assert!((gpu.1 - cpu.1).abs() <= 0.1, "{gpu:?} {cpu:?}");
    }
}

#[test]
fn a_run_in_16_bits_is_resumed_to_the_bit() {
    let data = digits(Some(96));
    for (device, activations) in [
        (cpu as fn() -> Device, Precision::Bf16),
        (cpu, Precision::F16),
        (gpu, Precision::Bf16),
        (gpu, Precision::F16),
    ] {
        let mut config = small();
        config.machine.activations = activations;
        config.topology.round_every = 2;
        let (_, unbroken) = train(device(), &config, &data);
        let mut part = config.clone();
        part.run.steps = Some(3);
        let (_, half) = train(device(), &part, &data);
        let folder = tempfile::tempdir().unwrap();
        checkpoint::save(folder.path(), &half, &config.to_toml().unwrap()).unwrap();
        let loaded = checkpoint::load(folder.path()).unwrap();
        let mut trainer = Trainer::new(device(), config.clone(), data.clone()).unwrap();
        trainer.restore(loaded.snapshot).unwrap();
        run(&mut trainer).1.unwrap();
        assert!(
            bits(&trainer.snapshot().unwrap()) == bits(&unbroken),
            "{activations}"
        );
    }
}

/// The plans' memory, and what stays f32: the batch's logits, the gradient at them, statistics, scratch.
#[test]
fn activations_take_half_the_memory() {
    let bytes = |model: &Model, activations, recompute| {
        let counts = allocate(&model.shapes(), 0.9, Assignment::ErdosRenyi).unwrap();
        let state = NetworkState::initialise(model, &counts, 1);
        let options = NetworkOptions {
            micro_batch: Some(8),
            activations,
            recompute,
            ..NetworkOptions::of_batch(8)
        };
        let device = cpu();
        let static_ = method("static").unwrap();
        let _network = Network::new(&device, model, &state, &options, static_.as_ref()).unwrap();
        device.ledger().current(Class::Activations) as f64
    };
    // Attention's probabilities, which replace the scores in place, are sums in f32.
    for (name, most) in [
        ("mlp", 0.55),
        ("resnet20", 0.51),
        ("vgg16-small", 0.52),
        ("simple-vit-tiny", 0.75),
    ] {
        let options = ModelOptions {
            input: rootlet::model::Extent {
                channels: 3,
                height: 32,
                width: 32,
            },
            classes: 10,
            width: 0.25,
            hidden: &[256, 256],
        };
        let model = by_name(name, &options).unwrap();
        for recompute in [false, true] {
            let full = bytes(&model, Precision::F32, recompute);
            for activations in HALVES {
                let half = bytes(&model, activations, recompute);
                println!("{name}, {activations}, recompute {recompute}: {half} of {full} bytes");
                assert!(half <= most * full, "{name}: {half} of {full} bytes");
            }
        }
    }
}
