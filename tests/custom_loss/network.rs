//! In a network, batch by batch.

use std::sync::Arc;

use crate::common::{Random, devices, says};
use crate::squares::{MeanAbsoluteError, MeanSquaredError};
use rootlet::data::Batch;
use rootlet::engine::{Device, StepState};
use rootlet::model::{Builder, Extent, Model};
use rootlet::network::{BatchResult, Network, NetworkOptions, NetworkState};
use rootlet::topology::method;

const COUNT: usize = 6;
const LANES: usize = 8;
const INPUTS: usize = 5;
const OUTPUTS: usize = 3;

fn model() -> Model {
    let mut net = Builder::new("regression", Extent::vector(INPUTS));
    let x = net.input();
    let x = net.linear("hidden", x, 7);
    let x = net.gelu(x);
    let y = net.linear("outputs", x, OUTPUTS);
    net.finish(y).unwrap()
}

fn state() -> NetworkState {
    NetworkState::initialise(&model(), &[20, 12], 3)
}

fn options() -> NetworkOptions {
    NetworkOptions {
        loss: Arc::new(MeanSquaredError),
        metric: Some(Arc::new(MeanAbsoluteError)),
        ..NetworkOptions::of_batch(COUNT)
    }
}

/// The padding lanes of the targets hold numbers that the loss must not count.
fn batch() -> Batch {
    let mut random = Random(7);
    let mut inputs = random.reals(INPUTS * LANES);
    for lane in inputs.chunks_exact_mut(LANES) {
        lane[COUNT..].fill(0.0);
    }
    Batch {
        inputs,
        targets: random.reals(OUTPUTS * LANES).into(),
        count: COUNT,
        weights: Vec::new(),
        index: 0,
    }
}

fn network(device: &Device, state: &NetworkState, options: &NetworkOptions) -> Network {
    let method = method("static").unwrap();
    Network::new(device, &model(), state, options, method.as_ref()).unwrap()
}

fn still() -> StepState {
    StepState::whole(1, 0, COUNT, 0.0)
}

fn trained(device: &Device, network: &Network) -> BatchResult {
    network.load(device, &batch()).unwrap();
    network.train(device, still()).unwrap();
    network.train_results(device, 0..1).unwrap()[0]
}

#[test]
fn their_kernels_agree_with_their_twins() {
    for (name, device) in devices() {
        let network = network(&device, &state(), &options());
        let checks = network
            .train_parts_checked(&device, &[batch()], still(), "custom/")
            .unwrap();
        // The gradient, the losses and the scores.
        assert!(device.is_cpu() || checks.len() == 3, "{name}: {checks:?}");
        for check in checks {
            check.verdict().unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
}

#[test]
fn loss_and_metric_are_those_of_the_outputs() {
    for (name, device) in devices() {
        let network = network(&device, &state(), &options());
        let result = trained(&device, &network);
        let outputs: Vec<f32> = device.download(&network.logits()).unwrap();
        let rootlet::data::Targets::Values(targets) = batch().targets else {
            panic!("no values");
        };
        let (mut squares, mut absolute) = (0.0, 0.0);
        for (i, (y, t)) in outputs.iter().zip(&targets).enumerate() {
            let error = if i % LANES < COUNT {
                f64::from(y - t)
            } else {
                0.0
            };
            squares += error * error / OUTPUTS as f64;
            absolute += error.abs() / OUTPUTS as f64;
        }
        let found = [result.loss, result.score].map(f64::from);
        let near = |(a, b): (f64, f64)| (a - b).abs() < 1e-5 * b;
        assert!(
            near((found[0], squares)) && near((found[1], absolute)),
            "{name}: {found:?}"
        );
        network.test(&device, still()).unwrap();
        let tested = network.test_results(&device, 0..1).unwrap()[0];
        assert_eq!(
            tested, result,
            "{name}: there is no dropout and no smoothing"
        );
    }
}

#[test]
fn gradients_are_differences_of_the_loss() {
    let device = Device::cpu(1).unwrap();
    let network_of = |state: &NetworkState| network(&device, state, &options());
    let run = network_of(&state());
    trained(&device, &run);
    let found: Vec<f32> = device.download(&run.arena().gradient().all()).unwrap();
    let mut at = 0;
    for layer in 0..2 {
        for c in 0..state().layers[layer].values.len() {
            let loss = |by: f32| -> f64 {
                let mut state = state();
                state.layers[layer].values[c] += by;
                trained(&device, &network_of(&state)).loss.into()
            };
            let expected = (loss(0.01) - loss(-0.01)) / 0.02 / COUNT as f64;
            let error = (expected - f64::from(found[at])).abs();
            assert!(
                error < 1e-4,
                "weight {c} of {layer}: {}, {expected}",
                found[at]
            );
            at += 1;
        }
    }
}

#[test]
fn batches_with_other_targets_are_refused() {
    let device = Device::cpu(1).unwrap();
    let network = network(&device, &state(), &options());
    let mut labels = batch();
    labels.targets = vec![0u32; LANES].into();
    says(
        network.load(&device, &labels),
        &[
            "takes 3 numbers a sample, in 8 lanes",
            "8 labels of a batch",
        ],
    );
}
