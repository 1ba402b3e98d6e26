//! A layer from outside the crate (that of the example): right by its twins and by differences of the loss, trained,
//! saved and resumed to the bit.
#![allow(clippy::unwrap_used)]

#[path = "common/mod.rs"]
mod common;
#[path = "../examples/custom_layer/prelu.rs"]
mod prelu;

use common::{Random, devices};
use prelu::PreluLayer;
use rootlet::checkpoint::{self, Snapshot};
use rootlet::data::{self, Batch, DataOptions};
use rootlet::engine::{Device, StepState};
use rootlet::model::{Builder, Extent, Model};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::topology::method;
use rootlet::train::{Event, Hooks, Setup, TrainConfig, Trainer};

const COUNT: usize = 6;

/// The layer after a norm, and once with two layers that take its value, so that gradients add up at its input.
fn model(input: Extent, classes: usize) -> Model {
    let mut net = Builder::new("prelu-net", input);
    let x = net.input();
    let x = net.conv("conv", x, 6, 3, 1, 1).unwrap();
    let x = net.batch_norm("norm", x);
    let y = net.layer("prelu0", PreluLayer, &[x]).unwrap();
    let z = net.layer("prelu1", PreluLayer, &[x]).unwrap();
    let x = net.add(y, z).unwrap();
    let x = net.mean(x);
    let logits = net.linear("classifier", x, classes);
    net.finish(logits).unwrap()
}

fn small() -> Model {
    let plane = Extent {
        channels: 2,
        height: 5,
        width: 4,
    };
    model(plane, 3)
}

fn batch() -> Batch {
    let mut random = Random(7);
    let lanes = COUNT.next_multiple_of(4);
    let mut inputs = random.reals(2 * 20 * lanes);
    for lane in inputs.chunks_exact_mut(lanes) {
        lane[COUNT..].fill(0.0);
    }
    let mut labels: Vec<u32> = (0..COUNT as u32).map(|i| i % 3).collect();
    labels.resize(lanes, 0);
    Batch {
        inputs,
        targets: labels.into(),
        count: COUNT,
        weights: Vec::new(),
        index: 0,
    }
}

fn network(device: &Device, state: &NetworkState, options: &NetworkOptions) -> Network {
    let method = method("static").unwrap();
    Network::new(device, &small(), state, options, method.as_ref()).unwrap()
}

fn still() -> StepState {
    StepState::whole(1, 0, COUNT, 0.0)
}

#[test]
fn its_kernels_agree_with_their_twins() {
    for (name, device) in devices() {
        let state = NetworkState::initialise(&small(), &[60, 12], 3);
        let network = network(&device, &state, &NetworkOptions::of_batch(COUNT));
        let checks = network
            .train_parts_checked(&device, &[batch()], still(), "custom/")
            .unwrap();
        // Two layers, forward and backward.
        assert!(device.is_cpu() || checks.len() == 6, "{name}: {checks:?}");
        for check in checks {
            check.verdict().unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
}

#[test]
fn its_gradients_are_differences_of_the_loss() {
    let device = Device::cpu(1).unwrap();
    let state = NetworkState::initialise(&small(), &[60, 12], 3);
    let options = NetworkOptions::of_batch(COUNT);
    let loss = |state: &NetworkState| -> f64 {
        let network = network(&device, state, &options);
        network.load(&device, &batch()).unwrap();
        network.train(&device, still()).unwrap();
        network.train_results(&device, 0..1).unwrap()[0].loss.into()
    };
    let run = network(&device, &state, &options);
    run.load(&device, &batch()).unwrap();
    run.train(&device, still()).unwrap();
    // The norm is the first layer with dense parameters.
    for layer in [1, 2] {
        let view = run.parameters().layer(layer).unwrap().gradient_of("slope");
        let found: Vec<f32> = device.download(&view.unwrap()).unwrap();
        for (c, &found) in found.iter().enumerate().take(6) {
            let at = |by: f32| {
                let mut state = state.clone();
                state.parameters[layer].array_mut("slope").unwrap().values[c] += by;
                loss(&state)
            };
            let expected = (at(0.01) - at(-0.01)) / 0.02;
            let error = (expected - f64::from(found) * COUNT as f64).abs();
            assert!(error < 2e-3, "slope {c} of {layer}: {found}, {expected}");
        }
    }
}

fn trainer(device: Device, steps: Option<u64>) -> Trainer {
    let mut config = TrainConfig::default();
    config.model.sparsity = 0.8;
    config.run.epochs = 2;
    config.run.steps = steps;
    config.run.batch = 64;
    let digits = data::load(&DataOptions::default()).unwrap();
    let input = Extent {
        channels: 1,
        height: 8,
        width: 8,
    };
    let model = model(input, digits.classes);
    let setup = Setup::of(&config, model).unwrap();
    Trainer::with_setup(device, config, digits, setup).unwrap()
}

fn run(trainer: &mut Trainer) -> Snapshot {
    let mut quiet = |_: &Event| Ok(());
    trainer.run(&mut Hooks::observing(&mut quiet)).unwrap();
    trainer.snapshot().unwrap()
}

#[test]
fn it_is_trained_saved_and_resumed_to_the_bit() {
    let open = || Device::cpu(2).unwrap();
    let unbroken = run(&mut trainer(open(), None));
    let slopes = unbroken.state.parameters[1].values("slope");
    assert!(slopes.iter().all(|&a| a != 0.25), "{slopes:?}");
    let folder = tempfile::tempdir().unwrap();
    let stopped = run(&mut trainer(open(), Some(13)));
    checkpoint::save(folder.path(), &stopped, "epochs = 2\n").unwrap();
    let loaded = checkpoint::load(folder.path()).unwrap().snapshot;
    assert_eq!(loaded.state, stopped.state);
    let mut resumed = trainer(open(), None);
    resumed.restore(loaded).unwrap();
    assert_eq!(run(&mut resumed).state, unbroken.state);
}

/// It says no operation that other programs have.
#[cfg(feature = "report")]
#[test]
fn a_network_with_it_is_refused_where_networks_are_exported() {
    use rootlet::export::Exported;

    let mut trainer = trainer(Device::cpu(2).unwrap(), Some(1));
    let snapshot = run(&mut trainer);
    let folder = tempfile::tempdir().unwrap();
    checkpoint::save(folder.path(), &snapshot, "epochs = 1\n").unwrap();
    let saved = checkpoint::load(folder.path()).unwrap();
    let record = trainer.data().record();
    let input = Extent {
        channels: 1,
        height: 8,
        width: 8,
    };
    let error = Exported::new(&saved, &model(input, 10), &record)
        .unwrap_err()
        .to_string();
    assert!(error.contains("prelu0 of the kind prelu"), "{error}");
    assert!(error.contains("Layer::operation"), "{error}");
}
