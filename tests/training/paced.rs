//! Split into many submissions, with dispatches in ranges of their workgroups, as on hardware with a time limit, a
//! training has the same bits.

use crate::{Log, bits, digits, paced, run, small, told};
use rootlet::checkpoint::Snapshot;
use rootlet::engine::{Pace, WorkgroupShape};
use rootlet::topology::MethodName;
use rootlet::topology::Scope;
use rootlet::train::{TrainConfig, Trainer};

/// Trains, and counts the submissions.
fn train(pace: Pace, shape: WorkgroupShape, config: &TrainConfig) -> (Log, Snapshot, u64) {
    let data = digits(Some(120));
    let mut trainer = Trainer::new(paced(pace, shape), config.clone(), data).unwrap();
    let (log, result) = run(&mut trainer);
    result.unwrap();
    let snapshot = trainer.snapshot().unwrap();
    let submissions = trainer.device().submissions();
    (log, snapshot, submissions)
}

/// Trains unsplit and split, in ranges and by the clock with a limit that some dispatches exceed and some do not.
fn assert_same(shape: WorkgroupShape, config: &TrainConfig) {
    let (log, whole, uncut) = train(Pace::Whole, shape, config);
    assert!(log.rounds.len() > 1);
    for pace in [Pace::Ranges(3), Pace::Seconds(1e-4)] {
        let (again, cut, submissions) = train(pace, shape, config);
        println!("{pace:?}: {submissions} submissions, not {uncut}");
        assert!(submissions > uncut, "{submissions} {uncut}");
        assert!(bits(&whole) == bits(&cut), "{pace:?}");
        assert!(told(&log, 0) == told(&again, 0), "{pace:?}");
    }
}

fn perceptron(method: MethodName, scope: Scope) -> TrainConfig {
    let mut config = small();
    config.topology.method = method;
    config.topology.scope = scope;
    config.run.batch = 16;
    config.run.epochs = 1;
    config.topology.round_every = 3;
    config.topology.round_until = Some(1.0);
    config
}

#[test]
fn a_perceptron_in_ranges_has_the_same_bits() {
    for (shape, method, scope) in [
        (
            WorkgroupShape::SOFTWARE,
            MethodName::GseGraest,
            Scope::Global,
        ),
        (WorkgroupShape::HARDWARE, MethodName::GseGrabo, Scope::Layer),
        (WorkgroupShape::HARDWARE, MethodName::Rigl, Scope::Layer),
    ] {
        assert_same(shape, &perceptron(method, scope));
    }
}

#[test]
fn a_resnet_in_ranges_has_the_same_bits() {
    let mut config = TrainConfig::default();
    config.model.name = "resnet20".into();
    config.model.width = 0.25;
    config.model.sparsity = 0.8;
    config.topology.method = MethodName::GseUniform;
    config.data.augment = "none".into();
    config.run.epochs = 1;
    config.run.batch = 32;
    config.topology.round_every = 1;
    config.topology.round_until = Some(1.0);
    assert_same(WorkgroupShape::SOFTWARE, &config);
}

/// Work far below the limit is submitted as if there were none, once it was measured.
#[test]
fn further_epochs_take_no_more_submissions_than_without_a_limit() {
    let further = |pace| {
        let submissions = |epochs| {
            let mut config = perceptron(MethodName::Static, Scope::Layer);
            config.run.epochs = epochs;
            train(pace, WorkgroupShape::SOFTWARE, &config).2
        };
        submissions(4) - submissions(2)
    };
    assert_eq!(further(Pace::Seconds(5.0)), further(Pace::Whole));
}
