//! In a trainer, on vectors with values, with a custom schedule.

use std::sync::Arc;

use crate::common::{Random, says};
use crate::squares::{MeanAbsoluteError, MeanSquaredError};
use rootlet::checkpoint::{self, Snapshot};
use rootlet::data::{Dataset, ImageShape, Vectors};
use rootlet::engine::Device;
use rootlet::model::mlp;
use rootlet::optim::Moment;
use rootlet::topology::method;
use rootlet::train::{Event, Hooks, Setup, TrainConfig, Trainer};

const INPUTS: usize = 6;

/// Two values, each a smooth function of six numbers.
fn half(seed: u64, samples: usize) -> Vectors {
    let inputs = Random(seed).reals(samples * INPUTS);
    let values = inputs
        .chunks(INPUTS)
        .flat_map(|x| [x[0] * x[1] + x[2], (3.0 * x[3]).sin() - 0.5 * x[4]]);
    let values: Vec<f32> = values.collect();
    Vectors::new(INPUTS, inputs, values).unwrap()
}

fn data() -> Dataset {
    Dataset::new(
        "functions",
        ImageShape::vector(INPUTS),
        half(1, 500),
        half(2, 90),
    )
    .unwrap()
}

fn config(name: &str, steps: Option<u64>) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.sparsity = 0.5;
    config.run.epochs = 4;
    config.run.steps = steps;
    config.topology.round_every = 7;
    config.run.batch = 50;
    config.machine.micro_batch = (name == "set").then_some(25);
    config
}

/// Half a cosine.
fn cosine(at: Moment) -> f32 {
    0.05 * (1.0 + (std::f64::consts::PI * at.progress()).cos()) as f32
}

fn setup(config: &TrainConfig, name: &str) -> Setup {
    let model = mlp(ImageShape::vector(INPUTS).extent(), &[40, 30], 2).unwrap();
    Setup {
        loss: Arc::new(MeanSquaredError),
        metric: Some(Arc::new(MeanAbsoluteError)),
        learning_rate: Arc::new(cosine),
        method: method(name).unwrap(),
        ..Setup::of(config, model).unwrap()
    }
}

fn trainer(name: &str, steps: Option<u64>) -> Trainer {
    let config = config(name, steps);
    let setup = setup(&config, name);
    Trainer::with_setup(Device::cpu(2).unwrap(), config, data(), setup).unwrap()
}

fn run(trainer: &mut Trainer) -> Snapshot {
    trainer
        .run(&mut Hooks::observing(&mut |_: &Event| Ok(())))
        .unwrap();
    trainer.snapshot().unwrap()
}

#[test]
fn they_train_and_are_told() {
    for name in ["gse-grabo", "set", "snip", "gradual", "dense"] {
        let mut trainer = trainer(name, None);
        let mut epochs = Vec::new();
        let mut observe = |event: &Event| {
            if let Event::Epoch(epoch) = event {
                epochs.push(epoch.clone());
            }
            Ok(())
        };
        let end = trainer.run(&mut Hooks::observing(&mut observe)).unwrap();
        assert!(
            end.test_loss < 0.6 * epochs[0].train_loss,
            "{name}: {end:?}"
        );
        let metric = end.test_metric.unwrap();
        assert_eq!(
            (metric.name.as_str(), metric.higher_is_better),
            ("mean-absolute-error", false)
        );
        // For errors, the mean of the squares is above the square of the mean.
        assert!(
            metric.value.powi(2) < end.test_loss && metric.value > 0.0,
            "{name}"
        );
        assert!(
            end.test_accuracy.is_nan() && epochs[0].train_accuracy.is_nan(),
            "{name}"
        );
        assert_eq!(epochs[3].test_metric.as_ref(), Some(&metric), "{name}");
        assert!(epochs[0].train_metric.is_some());
        assert!(
            epochs.windows(2).all(|e| e[1].lr < e[0].lr),
            "{name}: a cosine falls"
        );
        assert_eq!(end.remarks, Vec::<String>::new(), "{name}");
        let inputs = Random(2).reals(90 * INPUTS);
        let found = trainer.predict(&inputs).unwrap();
        let errors = found
            .rows()
            .zip(inputs.chunks(INPUTS))
            .map(|(y, x)| (y[0] - x[0] * x[1] - x[2]).abs());
        assert_eq!(errors.len(), 90);
        assert!(errors.sum::<f32>() / 90.0 < 3.0 * metric.value, "{name}");
    }
}

#[test]
fn they_are_resumed_to_the_bit_and_refused_by_name() {
    let unbroken = run(&mut trainer("gse-uniform", None));
    let stopped = run(&mut trainer("gse-uniform", Some(13)));
    let folder = tempfile::tempdir().unwrap();
    checkpoint::save(folder.path(), &stopped, "epochs = 4\n").unwrap();
    let loaded = checkpoint::load(folder.path()).unwrap().snapshot;
    assert_eq!(loaded, stopped);
    assert_eq!(loaded.objective.loss, "mean-squared-error");
    let mut resumed = trainer("gse-uniform", None);
    resumed.restore(loaded.clone()).unwrap();
    assert_eq!(run(&mut resumed).state, unbroken.state);
    let config = config("gse-uniform", None);
    let plain = Setup {
        metric: None,
        ..setup(&config, "gse-uniform")
    };
    let mut other = Trainer::with_setup(Device::cpu(1).unwrap(), config, data(), plain).unwrap();
    let parts = [
        "the loss mean-squared-error and the metric mean-absolute-error",
        "and no metric",
    ];
    says(other.restore(loaded), &parts);
}

#[test]
fn what_does_not_fit_is_refused() {
    let refused = |change: &dyn Fn(&mut Setup), part: &str| {
        let config = config("static", None);
        let mut setup = setup(&config, "static");
        change(&mut setup);
        let made = Trainer::with_setup(Device::cpu(1).unwrap(), config, data(), setup);
        let mut trainer = match made {
            Err(error) => return assert!(error.to_string().contains(part), "{error}"),
            Ok(trainer) => trainer,
        };
        says(
            trainer.run(&mut Hooks::observing(&mut |_: &Event| Ok(()))),
            &[part],
        );
    };
    let plain = TrainConfig::default();
    let usual = || {
        let model = mlp(ImageShape::vector(INPUTS).extent(), &[], 2).unwrap();
        Setup::of(&plain, model).unwrap()
    };
    refused(
        &|s| s.loss = usual().loss,
        "compares 2 outputs with a class a sample, and the data set functions has 2 numbers",
    );
    refused(
        &|s| s.metric = usual().metric,
        "the metric accuracy cannot compare 2 outputs with 2 numbers",
    );
    refused(
        &|s| s.learning_rate = Arc::new(|_| f32::NAN),
        "the learning rate of step 1 of 40 is NaN",
    );
    refused(
        &|s| s.model = mlp(ImageShape::vector(INPUTS).extent(), &[], 3).unwrap(),
        "compares 3 outputs with 3 numbers a sample",
    );
}

/// Without a metric, nothing is reported in its place.
#[test]
fn the_loss_may_be_alone() {
    let config = config("static", Some(5));
    let setup = Setup {
        metric: None,
        ..setup(&config, "static")
    };
    let mut trainer = Trainer::with_setup(Device::cpu(1).unwrap(), config, data(), setup).unwrap();
    let end = trainer
        .run(&mut Hooks::observing(&mut |_: &Event| Ok(())))
        .unwrap();
    assert!(end.test_loss.is_finite() && end.test_accuracy.is_nan() && end.test_metric.is_none());
}
