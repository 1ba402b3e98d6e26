//! Twenty steps of training whole models against PyTorch, and the evaluation after them; in parts, with recomputed
//! activations, and with and without shared memory.

use crate::differences::cross_entropy;
use crate::fixture::members;
use crate::models::{BATCH, CLASSES, Case, in_parts};
use crate::{assert_close, devices};
use rootlet::data::Batch;
use rootlet::engine::{Device, StepState};
use rootlet::network::{Network, NetworkOptions, NetworkState};

const TOLERANCE: f64 = 1e-4;
const STEPS: usize = 20;
/// Enough to use each batch, and one a second time.
const FEW: usize = 7;

/// The results of some training steps.
#[derive(PartialEq)]
struct Trained {
    losses: Vec<f32>,
    state: NetworkState,
    eval_logits: Vec<f32>,
    /// Sum of the losses, and how many are correct.
    evaluation: (f32, u64),
}

/// Trains on the batches in turn, each in parts of as many images as the options put on the device at once.
fn train(case: &Case, device: &Device, options: &NetworkOptions, steps: usize) -> Trained {
    let network = case.network(device, options);
    let (micro, lanes) = (network.micro_batch(), network.lanes());
    let batches: Vec<Vec<Batch>> = (0..6)
        .map(|i| (case.fixture).parts(&format!("batches.{i}."), micro, lanes))
        .collect();
    let count = |step: usize| batches[step % 6].iter().map(|p| p.count).sum::<usize>();
    assert_eq!((count(0), count(5)), (BATCH, 11));
    for step in 0..steps {
        let state = StepState::whole(0, step as u32, count(step), case.rate);
        network
            .train_parts(device, &batches[step % 6], state)
            .unwrap();
    }
    let results = network.train_results(device, 0..steps as u64).unwrap();
    let losses = (results.iter().zip(0..)).map(|(r, step)| r.loss / count(step) as f32);
    let (eval_logits, evaluation) = evaluate(case, device, &network);
    Trained {
        losses: losses.collect(),
        state: network.export(device).unwrap(),
        eval_logits,
        evaluation,
    }
}

/// Logits of the single pass's images in evaluation, the sum of their losses, and the number of correct ones.
fn evaluate(case: &Case, device: &Device, network: &Network) -> (Vec<f32>, (f32, u64)) {
    let parts = (case.fixture).parts("", network.micro_batch(), network.lanes());
    let mut logits = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        network.load(device, part).unwrap();
        let state = StepState::whole(0, i as u32, part.count, 0.0);
        network.test(device, state).unwrap();
        let found = device.download(&network.logits()).unwrap();
        logits.extend(members(&found, part.count, network.lanes()));
    }
    let results = network.test_results(device, 0..parts.len() as u64).unwrap();
    let sums = results.iter().fold((0.0, 0), |(loss, correct), r| {
        (loss + r.loss, correct + r.score as u64)
    });
    (logits, sums)
}

#[track_caller]
fn check_training(case: &Case, at: &str, found: &Trained) {
    let fixture = &case.fixture;
    let stored = |name: &str, found: &[f32]| {
        let name = format!("trained.{name}");
        let expected = fixture.reals(&name);
        assert_close(&format!("{at}: {name}"), found, &expected, TOLERANCE);
    };
    stored("losses", &found.losses);
    for (l, layer) in found.state.layers.iter().enumerate() {
        assert_eq!(layer.col_indices, case.state.layers[l].col_indices);
        stored(&format!("layers.{l}.values"), &layer.values);
        match fixture.has(&format!("layers.{l}.bias")) {
            true => stored(&format!("layers.{l}.bias"), &layer.bias),
            false => assert!(layer.bias.iter().all(|b| *b == 0.0), "{at}: layer {l}"),
        }
    }
    for (i, norm) in found.state.parameters.iter().enumerate() {
        for array in &norm.arrays {
            stored(&format!("norms.{i}.{}", array.name), &array.values);
        }
    }
    stored("eval_logits", &found.eval_logits);
    // Without label smoothing.
    let labels = fixture.integers("labels");
    let logits = fixture.reals("trained.eval_logits");
    let members = logits.chunks(CLASSES).zip(&labels);
    let (mut loss, mut correct) = (0.0, 0);
    for (logits, &label) in members {
        let logits: Vec<f64> = logits.iter().map(|&z| f64::from(z)).collect();
        loss += cross_entropy(&logits, label as usize, 0.0);
        let best = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        correct += u64::from(logits[label as usize] == best);
    }
    let found = found.evaluation;
    assert_close(
        &format!("{at}: evaluation"),
        &[found.0],
        &[loss as f32],
        TOLERANCE,
    );
    assert_eq!(found.1, correct, "{at}");
}

/// Training on whole batches, and variations that must not change a bit.
fn whole_batches(case: &Case, device: &Device) {
    let at = |what: &str| format!("{}, {}{what}", case.model.name(), device.name());
    let options = case.options(BATCH);
    let found = train(case, device, &options, STEPS);
    check_training(case, &at(""), &found);
    let evaluation = NetworkOptions::evaluation(BATCH);
    let mut network = case.network(device, &evaluation);
    network.import(device, &found.state).unwrap();
    let (logits, sums) = evaluate(case, device, &network);
    assert!(
        logits == found.eval_logits && sums == found.evaluation,
        "{}",
        at(", evaluation")
    );

    let found = train(case, device, &options, FEW);
    let keep = NetworkOptions {
        keep: true,
        ..options.clone()
    };
    let recompute = NetworkOptions {
        recompute: true,
        ..options.clone()
    };
    // Each batch is a single part of a possibly larger one.
    let of_two = NetworkOptions {
        batch: 2 * BATCH,
        micro_batch: Some(BATCH),
        ..options.clone()
    };
    for options in [keep, recompute, of_two] {
        let other = train(case, device, &options, FEW);
        assert!(other == found, "{}", at(&format!(", {options:?}")));
    }
}

#[test]
fn twenty_steps_of_a_resnet_agree_with_pytorch() {
    let case = Case::resnet();
    devices().iter().for_each(|d| whole_batches(&case, d));
}

#[test]
fn twenty_steps_of_a_vit_agree_with_pytorch() {
    let case = Case::vit();
    devices().iter().for_each(|d| whole_batches(&case, d));
}

/// Without batch norms, the parts of a batch train like the whole.
#[test]
fn twenty_steps_of_a_vit_in_parts_agree_with_pytorch() {
    let case = Case::vit();
    for device in devices() {
        let found = train(&case, &device, &in_parts(&case), STEPS);
        check_training(&case, &format!("{} in parts", device.name()), &found);
    }
}
