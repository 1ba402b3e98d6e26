//! A batch in parts whose gradients add up is trained as the whole batch is, rounds included.

use std::path::Path;
use std::sync::Arc;

use crate::{Log, bits, cpu, gpu, run, told, train};
use rootlet::checkpoint::{self, Snapshot};
use rootlet::data::{Dataset, ImageShape, Normalisation, Split, TestPart};
use rootlet::engine::Device;
use rootlet::topology::MethodName;
use rootlet::train::{TrainConfig, Trainer};

/// Images of 8 × 8 random bytes; four rows are brighter by their class.
fn noise(images: usize) -> Dataset {
    let mut state = 7u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let labels: Vec<u32> = (0..images).map(|_| u32::from(byte() % 4)).collect();
    let pixels = (0..images * 64)
        .map(|i| {
            let bright = (i % 64) / 16 == labels[i / 64] as usize;
            byte() / 2 + if bright { 100 } else { 0 }
        })
        .collect();
    let split = Arc::new(Split::new(64, pixels, labels).unwrap());
    Dataset {
        name: "noise".into(),
        shape: ImageShape {
            channels: 1,
            height: 8,
            width: 8,
        },
        classes: 4,
        class_names: Vec::new(),
        normalisation: Normalisation {
            mean: vec![0.3],
            std: vec![0.3],
        },
        train: split.clone().into(),
        validation: None,
        test: split.into(),
        test_part: TestPart::default(),
        notes: Vec::new(),
        untaught: Vec::new(),
        preprocessing: None,
    }
}

/// 116 images: three batches of 32 and one of 20, whose parts are of 8, 8 and 4. 8 steps, rounds at 3 and 6.
const IMAGES: usize = 116;

fn config(method: MethodName, micro_batch: Option<usize>) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.hidden = vec![40, 24];
    config.model.sparsity = 0.8;
    config.topology.method = method;
    config.run.epochs = 2;
    config.run.batch = 32;
    config.machine.micro_batch = micro_batch;
    config.optimiser.label_smoothing = 0.1;
    config.topology.round_every = 3;
    config.topology.round_until = Some(4.0);
    config
}

/// The events of a run, its end, and the loss of each step.
fn losses(device: Device, config: &TrainConfig) -> (Log, Snapshot, Vec<f32>) {
    let mut trainer = Trainer::new(device, config.clone(), noise(IMAGES)).unwrap();
    let micro_batch = config.machine.micro_batch.unwrap_or(config.run.batch);
    assert_eq!(trainer.network().micro_batch(), micro_batch);
    let (log, result) = run(&mut trainer);
    let steps = result.unwrap().step;
    assert_eq!(steps, 8);
    let results = trainer.network().train_results(trainer.device(), 0..steps);
    let losses = results.unwrap().iter().map(|r| r.loss).collect();
    (log, trainer.snapshot().unwrap(), losses)
}

fn parts_equal_the_whole(device: fn() -> Device) {
    for method in [
        MethodName::GseUniform,
        MethodName::GseGrabo,
        MethodName::GseGraest,
    ] {
        let (whole, whole_end, whole_losses) = losses(device(), &config(method, None));
        let (parts, parts_end, parts_losses) = losses(device(), &config(method, Some(8)));
        let at: Vec<u64> = parts.rounds.iter().map(|r| r.step).collect();
        assert_eq!(at, [3, 6], "{method}");
        // A step's loss is the sum over the last part of its batch alone or over all: it must be all.
        for (step, (whole, part)) in whole_losses.iter().zip(&parts_losses).enumerate() {
            let members = if step % 4 == 3 { 20.0 } else { 32.0 };
            let difference = (whole - part).abs() / members;
            assert!(
                difference <= 1e-4,
                "{method}, step {step}: {whole}, in parts {part}"
            );
        }
        for (whole, part) in whole.epochs.iter().zip(&parts.epochs) {
            assert!(
                (whole.train_loss - part.train_loss).abs() <= 1e-4,
                "{method}"
            );
            assert!((whole.test_loss - part.test_loss).abs() <= 1e-4, "{method}");
        }
        assert!(whole.epochs[1].train_loss < 0.9 * whole.epochs[0].train_loss);
        let layers = whole_end.state.layers.iter().zip(&parts_end.state.layers);
        for (l, (whole, part)) in layers.enumerate() {
            assert_eq!(whole.crow_indices, part.crow_indices, "{method}, layer {l}");
            assert_eq!(whole.col_indices, part.col_indices, "{method}, layer {l}");
        }
        let exchanged = |log: &Log| -> Vec<(u64, u64)> {
            let layers = log.rounds.iter().flat_map(|r| &r.layers);
            layers.map(|l| (l.candidates, l.grown)).collect()
        };
        assert_eq!(exchanged(&whole), exchanged(&parts), "{method}");
        assert!(exchanged(&parts).iter().any(|(_, grown)| *grown > 5));
    }
}

#[test]
fn a_batch_in_parts_trains_as_the_whole_on_cpu() {
    parts_equal_the_whole(cpu);
}

#[test]
fn a_batch_in_parts_trains_as_the_whole_on_a_gpu() {
    parts_equal_the_whole(gpu);
}

/// Also with batch norms, which see a part at a time, and whose running statistics are part of the state.
#[test]
fn a_resumed_run_in_parts_ends_with_the_same_bits() {
    let mlp = config(MethodName::GseGraest, Some(8));
    let mut resnet = config(MethodName::GseGrabo, Some(16));
    resnet.model.name = "resnet20".into();
    resnet.model.width = 0.25;
    for config in [mlp, resnet] {
        let data = noise(IMAGES);
        let (log, unbroken) = train(cpu(), &config, &data);
        // After a round, and within an epoch, on whose end is a smaller batch.
        for stop in [3, 4, 5] {
            let at = format!("{}, stopped at {stop}", config.model.name);
            let mut part = config.clone();
            part.run.steps = Some(stop);
            let (_, half) = train(cpu(), &part, &data);
            assert_eq!(half.progress.step, stop);
            let folder = tempfile::tempdir().unwrap();
            checkpoint::save(folder.path(), &half, &config.to_toml().unwrap()).unwrap();
            let loaded = checkpoint::load(Path::new(folder.path())).unwrap();
            let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
            trainer.restore(loaded.snapshot).unwrap();
            let (rest, result) = run(&mut trainer);
            result.unwrap();
            let end = trainer.snapshot().unwrap();
            assert!(bits(&end) == bits(&unbroken), "{at}");
            assert!(end.state.parameters == unbroken.state.parameters, "{at}");
            assert!(told(&rest, 0) == told(&log, stop), "{at}");
        }
    }
}

/// A batch that is a single part runs, though the network was made for several, and has no program for a whole step.
#[test]
fn a_single_part_can_be_checked() {
    let mut trainer =
        Trainer::new(cpu(), config(MethodName::GseUniform, Some(8)), noise(5)).unwrap();
    trainer.check("").unwrap();
    let (log, result) = run(&mut trainer);
    assert_eq!(result.unwrap().step, 2, "{:?}", log.notes);
}

/// What the device cannot hold at once is divided by itself, and recorded so that the run can be repeated: with the
/// batch that there is, not the larger one that was asked for, which the part need not divide.
#[test]
fn an_automatic_part_is_recorded_with_the_batch_it_divides() {
    let device = gpu();
    const IMAGES: usize = 700;
    // One hidden activation of the whole batch is larger than a binding may be.
    let hidden = (device.largest_binding() / 4).div_ceil(IMAGES as u64) as usize;
    let mut config = config(MethodName::Static, None);
    config.model.hidden = vec![hidden];
    config.run.batch = 1000;
    config.model.sparsity = 0.999;
    let trainer = Trainer::new(device, config, noise(IMAGES)).unwrap();
    let recorded = trainer.config();
    assert_eq!(
        (recorded.run.batch, recorded.machine.micro_batch),
        (IMAGES, Some(350))
    );
    recorded.validate().unwrap();
}
