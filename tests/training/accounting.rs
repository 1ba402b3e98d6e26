//! Where the time went, what was computed, and what the rounds explored.

use std::path::Path;
use std::time::Instant;

use crate::{bits, cpu, digits, gpu, run, small, train};
use rootlet::checkpoint;
use rootlet::data::{Loader, LoaderOptions};
use rootlet::engine::{Device, DeviceOptions, StepState, adapter};
use rootlet::topology::MethodName;
use rootlet::train::Trainer;
use rootlet::train::event::Finished;

const PHASES: [&str; 7] = [
    "data",
    "forward",
    "backward",
    "optimiser",
    "round",
    "evaluation",
    "other",
];

/// Every phase was timed, took some of the time and touches memory; together they do not exceed the total.
fn phases_fit(device: Device, what: &str) -> Finished {
    let mut config = small();
    config.topology.method = MethodName::GseGraest;
    let peak_before = device.ledger().peak_total();
    assert_eq!(peak_before, 0, "{what}");
    let start = Instant::now();
    let (log, _) = train(device, &config, &digits(None));
    let wall = start.elapsed().as_secs_f64();
    let finished = log.finished.unwrap();
    let names: Vec<&str> = finished.phases.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, PHASES, "{what}");
    for phase in &finished.phases[..6] {
        assert!(phase.seconds > 0.0, "{what}: {phase:?}");
        assert!(phase.samples > 0, "{what}: {phase:?}");
        let fits = 0 < phase.bytes && phase.bytes <= finished.peak_total;
        assert!(fits, "{what}: {phase:?}");
    }
    let sum: f64 = finished.phases.iter().map(|p| p.seconds).sum();
    assert!(sum <= wall, "{what}: {sum} of {wall} s");
    let off = (sum / finished.seconds - 1.0).abs();
    assert!(off < 0.02, "{what}: {sum} of {} s", finished.seconds);
    let at_peak: u64 = finished.at_peak.iter().map(|(_, bytes)| bytes).sum();
    assert_eq!(at_peak, finished.peak_total, "{what}");
    finished
}

#[test]
fn the_phases_of_a_run_fit_its_time_on_cpu() {
    let finished = phases_fit(cpu(), "cpu");
    // 92 steps, of which 8 have a round: three at the start and one after 64 more.
    assert_eq!(finished.phases[1].samples, 4);
    assert_eq!(finished.phases[4].samples, 9);
}

#[test]
fn the_phases_of_a_run_fit_its_time_by_timestamps() {
    phases_fit(gpu(), "timestamps");
}

#[test]
fn the_phases_of_a_run_fit_its_time_without_timestamps() {
    let first = adapter::list().into_iter().find(|a| a.usable).unwrap();
    let options = DeviceOptions {
        default_limits: true,
        ..DeviceOptions::default()
    };
    let device = Device::open(&first.index.to_string(), &options).unwrap();
    phases_fit(device, "wall clock");
}

/// 64-48-32-10 with N connections: 2 N operations forward, three times that per step, and gamma N further pairs in a
/// round.
#[test]
fn training_flops_add_up_by_hand() {
    let data = digits(None);
    for (method, scored) in [
        (MethodName::Static, 0.0),
        (MethodName::Set, 0.0),
        (MethodName::GseUniform, 0.5),
        (MethodName::GseGrabo, 0.5),
    ] {
        let mut config = small();
        config.topology.method = method;
        config.topology.gamma = 0.5;
        config.run.epochs = 1;
        let (log, snapshot) = train(cpu(), &config, &data);
        let finished = log.finished.unwrap();
        let n: f64 = finished.layers.iter().map(|l| l.active as f64).sum();
        let dense = (64 * 48 + 48 * 32 + 32 * 10) as f64;
        assert_eq!(n, (0.2 * dense).round(), "{method}");
        let images = data.train.len() as f64;
        // After steps 10, 20, 30, 40 on whole batches of 32.
        let rounds = 4.0 * 32.0;
        let expected = 2.0 * n * (3.0 * images + scored * rounds);
        let off = (finished.train_flops - expected).abs() / expected;
        assert!(off < 1e-12, "{method}: {} {expected}", finished.train_flops);
        assert_eq!(snapshot.progress.train_flops, finished.train_flops);
        let phases: f64 = finished.phases[..5].iter().map(|p| p.flops).sum();
        assert!((phases - expected).abs() / expected < 1e-12, "{method}");
        let evaluated = data.test.len() as f64 * 2.0 * n;
        assert_eq!(finished.phases[5].flops, evaluated);
    }
}

/// What a method computes before the first step, and networks that shrink, are in the phases as in the run's figures.
#[test]
fn the_phases_of_every_method_add_up_to_the_run() {
    let data = digits(Some(588));
    for method in [
        MethodName::Snip,
        MethodName::Synflow,
        MethodName::Gradual,
        MethodName::Lottery,
        MethodName::Topkast,
        MethodName::Rigl,
    ] {
        let mut config = small();
        config.topology.method = method;
        let (log, _) = train(cpu(), &config, &data);
        let finished = log.finished.unwrap();
        let training = finished.phases.iter().filter(|p| p.name != "evaluation");
        let flops: f64 = training.map(|p| p.flops).sum();
        let off = (flops / finished.train_flops - 1.0).abs();
        assert!(off < 1e-9, "{method}: {flops} {}", finished.train_flops);
        let seconds: f64 = finished.phases.iter().map(|p| p.seconds).sum();
        let off = (seconds / finished.seconds - 1.0).abs();
        assert!(off < 0.02, "{method}: {seconds} {}", finished.seconds);
        let bytes: u64 = finished.at_peak.iter().map(|(_, bytes)| bytes).sum();
        assert_eq!(bytes, finished.peak_total, "{method}");
        let chosen = matches!(method, MethodName::Snip | MethodName::Synflow);
        if chosen {
            assert!(
                finished.phases[4].seconds > 0.0 && finished.phases[4].flops > 0.0,
                "{method}"
            );
        }
    }
}

#[test]
fn rounds_tell_of_the_exploration() {
    let data = digits(None);
    for method in [
        MethodName::Set,
        MethodName::GseUniform,
        MethodName::GseGrabo,
        MethodName::GseGraest,
    ] {
        let weighs = matches!(method, MethodName::GseGrabo | MethodName::GseGraest);
        let mut config = small();
        config.topology.method = method;
        let (log, _) = train(cpu(), &config, &data);
        let mut before = vec![0.0; 3];
        for round in &log.rounds {
            for (layer, before) in round.layers.iter().zip(&mut before) {
                let ever = layer.ever_active.unwrap();
                let density = layer.active as f64 / layer.total as f64;
                // A round adds at most what it grew: less if a pair had been active before.
                let most = f64::max(*before, density) + layer.grown as f64 / layer.total as f64;
                assert!(ever >= *before && ever >= density && ever <= most + 1e-12);
                *before = ever;
                assert!(layer.dead_inputs.unwrap() <= 64 && layer.dead_outputs.unwrap() <= 48);
                match layer.rank_correlation {
                    None => assert!(!weighs, "{method}"),
                    Some(r) => assert!(weighs && (-1.0..=1.0).contains(&r), "{method}: {r}"),
                }
            }
        }
        assert!(before.iter().all(|&ever| ever > 0.2), "{method}");
        if method == MethodName::GseGrabo {
            // The bound predicts the gradient well: at a batch of one it is equal.
            let all = log.rounds.iter().flat_map(|r| &r.layers);
            let mean = all.filter_map(|l| l.rank_correlation).sum::<f64>() / 27.0;
            assert!(mean > 0.2, "{mean}");
        }
    }
}

/// A batch of one: the bound is the gradient, and the ranks agree.
#[test]
fn at_a_batch_of_one_grabo_ranks_as_the_gradient() {
    let mut config = small();
    config.topology.method = MethodName::GseGrabo;
    config.run.batch = 1;
    config.topology.round_every = 5;
    config.run.steps = Some(6);
    let (log, _) = train(cpu(), &config, &digits(Some(64)));
    for layer in &log.rounds[0].layers {
        let r = layer.rank_correlation.unwrap();
        assert!(r > 0.99, "{}: {r}", layer.name);
    }
}

#[test]
fn statistics_change_no_bit_and_can_be_left_out() {
    let data = digits(Some(588));
    let mut config = small();
    config.topology.method = MethodName::GseGrabo;
    let mut off = config.clone();
    off.topology.statistics = false;
    let (on, mut with) = train(cpu(), &config, &data);
    let (out, without) = train(cpu(), &off, &data);
    assert!(on.rounds[0].layers[0].ever_active.is_some());
    assert_eq!(out.rounds[0].layers[0].ever_active, None);
    assert_eq!(out.rounds[0].layers[0].rank_correlation, None);
    assert!(!with.past.is_empty() && without.past.is_empty());
    with.past.clear();
    assert!(bits(&with) == bits(&without));
}

/// From a checkpoint without them, counting starts again with the graph that it holds.
#[test]
fn what_was_explored_survives_a_checkpoint_or_begins_anew() {
    let data = digits(Some(588));
    let mut config = small();
    config.run.epochs = 1;
    config.topology.round_every = 6;
    config.topology.round_until = Some(1.0);
    let (whole, _) = train(cpu(), &config, &data);
    let mut half = config.clone();
    half.run.steps = Some(13);
    let (_, snapshot) = train(cpu(), &half, &data);
    assert!(snapshot.past.iter().any(|p| !p.col_indices.is_empty()));
    let folder = tempfile::tempdir().unwrap();
    checkpoint::save(folder.path(), &snapshot, "").unwrap();
    for forget in [false, true] {
        let mut loaded = checkpoint::load(Path::new(folder.path())).unwrap().snapshot;
        if forget {
            loaded.past.clear();
        }
        let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
        trainer.restore(loaded).unwrap();
        let (rest, result) = run(&mut trainer);
        result.unwrap();
        let [last, expected] = [&rest, &whole].map(|log| log.rounds.last().unwrap());
        assert_eq!(last.step, expected.step);
        for (layer, expected) in last.layers.iter().zip(&expected.layers) {
            match forget {
                false => assert_eq!(layer.ever_active, expected.ever_active),
                true => assert!(layer.ever_active < expected.ever_active),
            }
        }
    }
}

/// The cost of timing and statistics: only prints. `cargo nextest run --run-ignored all --no-capture costs`.
#[test]
#[ignore = "measures"]
fn costs() {
    let data = digits(None);
    for device in [cpu as fn() -> Device, gpu] {
        let mut config = small();
        config.model.hidden = vec![512, 512];
        config.run.batch = 128;
        let seconds = |timed: bool, steps: u32| {
            let device = device();
            let trainer = Trainer::new(device, config.clone(), data.clone()).unwrap();
            let (network, device) = (trainer.network(), trainer.device());
            let options = LoaderOptions {
                lanes: network.lanes(),
                ..LoaderOptions::of_batch(128)
            };
            let split = data.train.clone();
            let mut loader =
                Loader::start(split, data.shape, &data.normalisation, options).unwrap();
            let parts = [loader.next().unwrap().unwrap()];
            let mut start = Instant::now();
            for step in 0..steps + 3 {
                if step == 3 {
                    device.wait().unwrap();
                    start = Instant::now();
                }
                let state = StepState::whole(1, step, 128, 0.01);
                match timed {
                    true => drop(network.train_parts_timed(device, &parts, state).unwrap()),
                    false => network.train_parts(device, &parts, state).unwrap(),
                }
            }
            device.wait().unwrap();
            start.elapsed().as_secs_f64() / f64::from(steps)
        };
        let pairs: Vec<[f64; 2]> = (0..5)
            .map(|_| [seconds(false, 40), seconds(true, 40)])
            .collect();
        println!(
            "{}: plain, timed step, s: {pairs:?}",
            device().description()
        );
    }
    // 17.6 million pairs, of which a million is active.
    let mut config = small();
    config.topology.method = MethodName::GseGrabo;
    config.model.hidden = vec![4096, 4096];
    config.model.sparsity = 0.943;
    config.run.batch = 128;
    config.topology.round_every = 2;
    config.topology.round_until = Some(4.0);
    config.run.epochs = 4;
    for _ in 0..3 {
        for statistics in [true, false] {
            let mut config = config.clone();
            config.topology.statistics = statistics;
            let (log, snapshot) = train(cpu(), &config, &data);
            let n: usize = snapshot.state.layers.iter().map(|l| l.values.len()).sum();
            let rounds: f64 = log.rounds.iter().map(|r| r.seconds).sum();
            let finished = log.finished.unwrap();
            println!(
                "{n} connections, statistics {statistics}: {:.3} s with {} rounds of {rounds:.3} s",
                finished.seconds,
                log.rounds.len()
            );
        }
    }
}
