//! An interrupted and resumed run equals an unbroken one, bit for bit, including the topology.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::{SCOPES, bits, cpu, digits, gpu, run, small, told, train};
use rootlet::checkpoint::{self, Snapshot};
use rootlet::data::Dataset;
use rootlet::engine::Device;
use rootlet::optim::{OptimiserName, RateName};
use rootlet::topology::MethodName;
use rootlet::topology::Scope;
use rootlet::train::{Event, Hooks, TrainConfig, Trainer};

/// Stops after each of `stops` steps, through a checkpoint on disk, and continues in a fresh trainer.
pub fn resumed_equals_unbroken(
    device: fn() -> Device,
    config: &TrainConfig,
    data: &Dataset,
    stops: &[u64],
) {
    let (log, unbroken) = train(device(), config, data);
    for &stop in stops {
        let at = format!(
            "{}, {:?}, stopped at {stop}",
            config.topology.method, config.topology.scope
        );
        let mut part = config.clone();
        part.run.steps = Some(stop);
        let (_, half) = train(device(), &part, data);
        assert_eq!(half.progress.step, stop);
        let folder = tempfile::tempdir().unwrap();
        checkpoint::save(folder.path(), &half, &config.to_toml().unwrap()).unwrap();
        let loaded = checkpoint::load(Path::new(folder.path())).unwrap();

        let mut trainer = Trainer::new(device(), config.clone(), data.clone()).unwrap();
        trainer.restore(loaded.snapshot).unwrap();
        assert!(bits(&trainer.snapshot().unwrap()) == bits(&half), "{at}");
        let (rest, result) = run(&mut trainer);
        let finished = result.unwrap();
        assert!(
            bits(&trainer.snapshot().unwrap()) == bits(&unbroken),
            "{at}"
        );
        // The rest of the tables too: the interrupted epoch counts all its images, and a round that is due before the
        // next step is done after the resume.
        let (rounds, epochs) = told(&rest, 0);
        let redone = u64::from(trainer.rounds_precede_steps());
        assert!(rounds == told(&log, stop - redone).0, "{at}");
        assert!(epochs == told(&log, stop).1, "{at}");
        let whole = log.finished.as_ref().unwrap();
        assert_eq!(finished.test_loss.to_bits(), whole.test_loss.to_bits());
        assert!(finished.seconds > 0.0);
    }
}

/// Every method, from a sparsity at which layers' products are dense to one at which all are sparse; what a method
/// chooses has layers of other densities than the initial graph.
fn every_method(model: &str, stops: &[u64]) {
    let data = digits(Some(96));
    for &method in MethodName::value_variants() {
        for (seed, sparsity) in (1..).zip([0.5, 0.7, 0.9, 0.98]) {
            let mut config = small();
            config.model.name = model.to_owned();
            config.model.width = if model == "mlp" { 1.0 } else { 0.125 };
            config.topology.method = method;
            config.model.sparsity = sparsity;
            config.run.seed = seed;
            config.model.hidden = vec![24, 16];
            config.run.epochs = 2;
            config.optimiser.ema = seed.is_multiple_of(2).then_some(0.9);
            // Three steps per epoch, with rounds at 2 and 4; the lottery has two stages of six steps.
            config.topology.lottery_cycles = 1;
            config.topology.round_every = 2;
            config.topology.round_until = Some(1.5);
            resumed_equals_unbroken(cpu, &config, &data, stops);
            if method == MethodName::Lottery {
                resumed_equals_unbroken(cpu, &config, &data, &[6, 7]);
            }
        }
    }
}

#[test]
fn every_method_of_a_perceptron_resumes_at_every_sparsity() {
    every_method("mlp", &[1, 2, 3, 4]);
}

#[test]
fn every_method_of_a_residual_network_resumes_at_every_sparsity() {
    every_method("resnet20", &[2, 3]);
}

#[test]
#[ignore = "long: every step of every method"]
fn every_method_resumes_after_every_step() {
    for model in ["mlp", "resnet20"] {
        every_method(model, &[1, 2, 3, 4, 5]);
    }
}

/// 19 batches per epoch, the last with 12 images; rounds at 7, 14, 21, 28.
fn config(method: MethodName, scope: Scope, seed: u32) -> TrainConfig {
    let mut config = small();
    config.topology.method = method;
    config.topology.scope = scope;
    config.run.seed = seed;
    config.topology.round_every = 7;
    config.topology.round_until = Some(1.8);
    config.optimiser.milestones = vec![1.2];
    config.optimiser.warmup_epochs = 0.5;
    config.optimiser.label_smoothing = 0.05;
    config.optimiser.nesterov = seed.is_multiple_of(2);
    config
}

#[test]
fn a_resumed_run_on_cpu_ends_with_the_same_bits() {
    let data = digits(Some(588));
    let mut seed = 1u32;
    for scope in SCOPES {
        for method in [
            MethodName::Static,
            MethodName::Set,
            MethodName::GseUniform,
            MethodName::GseGraest,
        ] {
            // The step before a round, that of a round, the one after; an epoch's last step; and a random one.
            let chance = 1 + u64::from(seed.wrapping_mul(2_654_435_761) >> 8) % 36;
            let stops = match method {
                MethodName::Static => vec![chance],
                _ => vec![13, 14, 15, 19, chance],
            };
            resumed_equals_unbroken(cpu, &config(method, scope, seed), &data, &stops);
            seed += 1;
        }
    }
}

#[test]
fn a_resumed_run_on_a_gpu_ends_with_the_same_bits() {
    let data = digits(Some(588));
    let config = config(MethodName::GseGrabo, Scope::Global, 3);
    resumed_equals_unbroken(gpu, &config, &data, &[14, 24]);
}

/// Moments and ages of connections, a rate that depends on the total, and clipped gradients.
#[test]
fn a_resumed_run_by_adamw_ends_with_the_same_bits() {
    let data = digits(Some(588));
    for device in [cpu, gpu] {
        let mut config = config(MethodName::GseUniform, Scope::Layer, 5);
        config.optimiser.optimiser = Some(OptimiserName::AdamW);
        config.optimiser.nesterov = false;
        config.optimiser.milestones = Vec::new();
        config.optimiser.lr_schedule = RateName::Cosine;
        config.optimiser.clip_norm = Some(0.5);
        resumed_equals_unbroken(device, &config, &data, &[14, 24]);
    }
}

/// What cannot be recorded is not computed any further, but what was computed is saved.
#[test]
fn an_observer_s_error_comes_after_a_save() {
    let data = digits(Some(588));
    for fails_at in ["round", "epoch", "saved"] {
        let config = config(MethodName::GseUniform, Scope::Layer, 1);
        let (_, unbroken) = train(cpu(), &config, &data);
        let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
        let mut saved = Vec::new();
        let mut observer = |event: &Event| -> rootlet::Result<()> {
            let kind = match event {
                Event::Round(_) => "round",
                Event::Epoch(_) => "epoch",
                Event::Saved(_) => "saved",
                _ => "",
            };
            match kind == fails_at {
                true => Err(rootlet::Error::Shape(rootlet::error::Misfit::Custom(
                    "no audience".to_owned(),
                ))),
                false => Ok(()),
            }
        };
        let mut save = |snapshot: &Snapshot| {
            saved.push(snapshot.clone());
            Ok(PathBuf::from("nowhere"))
        };
        let result = trainer.run(&mut Hooks {
            save: Some(&mut save),
            ..Hooks::observing(&mut observer)
        });
        assert_eq!(result.unwrap_err().to_string(), "no audience");
        let last = saved.pop().unwrap();
        let expected = if fails_at == "round" { 7 } else { 19 };
        assert_eq!(last.progress.step, expected, "{fails_at}");
        let mut trainer = Trainer::new(cpu(), config, data.clone()).unwrap();
        trainer.restore(last).unwrap();
        run(&mut trainer).1.unwrap();
        assert!(
            bits(&trainer.snapshot().unwrap()) == bits(&unbroken),
            "{fails_at}"
        );
    }
}

#[test]
fn a_snapshot_of_another_model_is_refused() {
    let data = digits(Some(64));
    let (_, snapshot) = train(cpu(), &small(), &data);
    let mut other = small();
    other.model.hidden = vec![48, 33];
    let mut trainer = Trainer::new(cpu(), other, data).unwrap();
    let message = trainer.restore(snapshot).unwrap_err().to_string();
    assert!(message.contains("do not fit"), "{message}");
}
