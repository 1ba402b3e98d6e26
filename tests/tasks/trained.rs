//! Each task with each method.

use crate::common::{Random, says};
use crate::{INPUTS, Kind, config, data, targets};
use rootlet::checkpoint::{self, Snapshot};
use rootlet::data::{Targets, Task};
use rootlet::engine::Device;
use rootlet::topology::MethodName;
use rootlet::train::{Event, Hooks, Setup, TrainConfig, Trainer, event};

fn trainer(kind: Kind, change: &dyn Fn(&mut TrainConfig), method: &str) -> Trainer {
    let mut config = config(method);
    change(&mut config);
    Trainer::new(Device::cpu(2).unwrap(), config, data(kind)).unwrap()
}

fn run(trainer: &mut Trainer) -> (Vec<event::Epoch>, event::Finished) {
    let mut epochs = Vec::new();
    let mut observe = |event: &Event| {
        if let Event::Epoch(epoch) = event {
            epochs.push(epoch.clone());
        }
        Ok(())
    };
    let end = trainer.run(&mut Hooks::observing(&mut observe)).unwrap();
    (epochs, end)
}

/// The metric of a task, and the further scores of its test.
fn reported(kind: Kind) -> (Option<&'static str>, &'static [&'static str]) {
    match kind {
        Kind::Labels => (None, &[]),
        Kind::Flags => (Some("P@1"), &["P@3", "exact-match", "macro-F1", "AUC"]),
        Kind::Values => (Some("MAE"), &["RMSE", "R2"]),
    }
}

#[test]
fn every_method_trains_every_task() {
    for kind in [Kind::Flags, Kind::Values] {
        for method in MethodName::NAMES {
            let mut trainer = trainer(kind, &|_| {}, method);
            let (epochs, end) = run(&mut trainer);
            let at = format!("{kind:?}, {method}");
            let (metric, further) = reported(kind);
            let (first, last) = (&epochs[0], epochs.last().unwrap());
            assert!(end.test_loss < 0.95 * first.train_loss, "{at}: {end:?}");
            let name = |score: &event::Score| score.name.clone();
            assert_eq!(
                end.test_metric.as_ref().map(name).as_deref(),
                metric,
                "{at}"
            );
            assert_eq!(
                end.test_scores.iter().map(name).collect::<Vec<_>>(),
                further,
                "{at}"
            );
            assert_eq!(last.test_scores, end.test_scores, "{at}");
            assert!(
                end.test_accuracy.is_nan() && last.train_accuracy.is_nan(),
                "{at}"
            );
            let r2 = end.test_scores.iter().find(|score| score.name == "R2");
            assert!(r2.is_none_or(|r2| r2.value > 0.1), "{at}: {r2:?}");
        }
    }
}

/// The scores of a test follow from its outputs and targets.
#[test]
fn errors_are_those_of_the_predictions() {
    let mut trainer = trainer(Kind::Values, &|_| {}, "gse-grabo");
    let (_, end) = run(&mut trainer);
    let inputs = Random(2).reals(90 * INPUTS);
    let Targets::Values(values) = targets(Kind::Values, &inputs) else {
        panic!("no values");
    };
    let found = trainer.predict(&inputs).unwrap();
    let mut squares = [0.0; 2];
    for (row, own) in found.rows().zip(values.chunks(2)) {
        for (sum, (y, t)) in squares.iter_mut().zip(row.iter().zip(own)) {
            *sum += f64::from(y - t).powi(2);
        }
    }
    let expected = squares.map(|sum| (sum / 90.0).sqrt()).iter().sum::<f64>() / 2.0;
    let rmse = end.test_scores.iter().find(|score| score.name == "RMSE");
    let rmse = f64::from(rmse.unwrap().value);
    assert!((rmse - expected).abs() < 1e-5, "{rmse} {expected}");
}

#[test]
fn losses_are_chosen_by_name() {
    use rootlet::train::config::LossName;
    let trained = |loss: LossName, delta: f64| {
        let change = |config: &mut TrainConfig| {
            config.task.loss = loss;
            config.task.huber_delta = delta;
        };
        let mut trainer = trainer(Kind::Values, &change, "static");
        run(&mut trainer);
        trainer.snapshot().unwrap()
    };
    let mse = trained(LossName::Mse, 1.0);
    assert_eq!(mse.state, trained(LossName::Auto, 1.0).state);
    let huber = trained(LossName::Huber, 0.5);
    assert_eq!(huber.objective.loss, "huber");
    assert_eq!(huber.objective.task, Some(Task::Regression));
    assert_ne!(huber.state, mse.state);
    assert_ne!(huber.state, trained(LossName::Huber, 0.1).state);
}

#[test]
fn each_task_is_resumed_to_the_bit_and_refuses_another() {
    let stopped = |kind: Kind, steps: Option<u64>| -> Trainer {
        let change = |config: &mut TrainConfig| {
            config.run.steps = steps;
            if kind == Kind::Labels {
                config.task.class_weights = "balanced".to_owned();
                config.task.balance = true;
            }
        };
        trainer(kind, &change, "gse-uniform")
    };
    let mut last: Option<Snapshot> = None;
    for kind in [Kind::Labels, Kind::Flags, Kind::Values] {
        let mut whole = stopped(kind, None);
        run(&mut whole);
        let mut cut = stopped(kind, Some(13));
        run(&mut cut);
        let folder = tempfile::tempdir().unwrap();
        let text = cut.config().to_toml().unwrap();
        checkpoint::save(folder.path(), &cut.snapshot().unwrap(), &text).unwrap();
        let loaded = checkpoint::load(folder.path()).unwrap().snapshot;
        let task = match kind {
            Kind::Labels => Task::Classification,
            Kind::Flags => Task::MultiLabel,
            Kind::Values => Task::Regression,
        };
        assert_eq!(loaded.objective.task, Some(task));
        assert!(Setup::is_as_configured(cut.config(), &loaded.objective));
        let mut resumed = stopped(kind, None);
        resumed.restore(loaded.clone()).unwrap();
        run(&mut resumed);
        let [own, other] = [&resumed, &whole].map(|trainer| trainer.snapshot().unwrap().state);
        assert_eq!(own, other, "{kind:?}");
        if let Some(last) = last.replace(loaded) {
            says(
                stopped(kind, None).restore(last),
                &["was trained with the loss"],
            );
        }
    }
}
