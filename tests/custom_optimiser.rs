//! An optimiser from outside the crate (that of the example), with two moments and an age: right by its twin and by a
//! plain formula, followed through rounds, saved and resumed to the bit.
#![allow(clippy::unwrap_used)]

#[path = "../examples/custom_optimiser/aged.rs"]
mod aged;
#[path = "common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use aged::AgedMoments;
use common::{Random, devices, says};
use rootlet::checkpoint::{self, Snapshot};
use rootlet::data::{self, Batch, DataOptions};
use rootlet::engine::{Class, Device, DeviceOptions, StepState};
use rootlet::model::{Builder, Extent, Model, mlp};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::optim::{OptimiserState, StateArray};
use rootlet::sparse::LayerState;
use rootlet::topology::{Scope, method};
use rootlet::train::{Event, Hooks, Setup, TrainConfig, Trainer};

const COUNT: usize = 6;
const OPTIMISER: AgedMoments = AgedMoments {
    beta1: 0.5,
    beta2: 0.75,
    grown_up: 3.0,
};

/// Weights, biases, and the parameters of a norm.
fn model() -> Model {
    let mut net = Builder::new("small", Extent::vector(9));
    let x = net.input();
    let x = net.linear("first", x, 14);
    let x = net.batch_norm("norm", x);
    let x = net.relu(x);
    let logits = net.linear("classifier", x, 3);
    net.finish(logits).unwrap()
}

fn batch() -> Batch {
    let mut random = Random(7);
    let lanes = COUNT.next_multiple_of(4);
    let mut inputs = random.reals(9 * lanes);
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

fn network(device: &Device, state: &NetworkState, scope: Scope) -> Network {
    let options = NetworkOptions {
        optimiser: Arc::new(OPTIMISER),
        scope,
        ..NetworkOptions::of_batch(COUNT)
    };
    let method = method("gse-uniform").unwrap();
    Network::new(device, &model(), state, &options, method.as_ref()).unwrap()
}

fn drawn() -> NetworkState {
    NetworkState::initialise(&model(), &[50, 20], 3)
}

fn at(step: u32) -> StepState {
    StepState::whole(1, step, COUNT, 0.1)
}

#[test]
fn its_kernel_agrees_with_its_twin() {
    for (name, device) in devices() {
        let network = network(&device, &drawn(), Scope::Layer);
        let checks = network
            .train_parts_checked(&device, &[batch()], at(0), "custom/")
            .unwrap();
        // Weights and three arrays of connections, biases and the norm's parameters.
        assert!(device.is_cpu() || checks.len() == 12, "{name}: {checks:?}");
        for check in checks {
            check.verdict().unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }
}

/// What is kept of a number: its value, two moments, its age.
type Kept = (f32, f32, f32, u32);

fn kept(values: &[f32], state: &OptimiserState) -> Vec<Kept> {
    let (m, v, age) = (state.f32("first"), state.f32("second"), state.u32("age"));
    assert_eq!([m.len(), v.len(), age.len()], [values.len(); 3]);
    let all = values.iter().zip(m).zip(v).zip(age);
    all.map(|(((&w, &m), &v), &age)| (w, m, v, age)).collect()
}

/// By layer, output and input.
fn connections(layers: &[LayerState]) -> BTreeMap<(usize, u32, u32), Kept> {
    let of = |(l, layer): (usize, &LayerState)| {
        let kept = kept(&layer.values, &layer.state);
        let pairs: Vec<_> = layer.pairs().map(|(b, a)| (l, b, a)).collect();
        pairs.into_iter().zip(kept)
    };
    layers.iter().enumerate().flat_map(of).collect()
}

/// The step as its definition says.
fn stepped((w, m, v, age): Kept, g: f32) -> [f64; 4] {
    let [w, m, v, g] = [w, m, v, g].map(f64::from);
    let (m, v, age) = (
        0.5 * m + 0.5 * g,
        0.75 * v + 0.25 * g * g,
        f64::from(age + 1),
    );
    let part = (age / 3.0).min(1.0);
    [w - 0.1 * part * m / (v.sqrt() + 1e-3), m, v, age]
}

fn assert_stepped(before: &[Kept], gradient: &[f32], after: &[Kept], name: &str) {
    assert!(before.len() == after.len() && gradient.len() >= before.len());
    for ((&before, &g), &(w, m, v, age)) in before.iter().zip(gradient).zip(after) {
        let expected = stepped(before, g);
        let found = [w, m, v, age as f32].map(f64::from);
        for (e, f) in expected.iter().zip(found) {
            assert!((e - f).abs() < 1e-5, "{name}: {expected:?}, {found:?}");
        }
    }
}

#[test]
fn its_state_follows_connections_through_rounds() {
    for (name, device) in devices() {
        for scope in [Scope::Layer, Scope::Global] {
            let mut state = drawn();
            // The last round leaves some that those before it grew.
            for (step, alpha) in [(0, 0.4), (1, 0.4), (2, 0.4), (3, 0.1)] {
                // The same step without a round, and with one.
                let mut still = network(&device, &state, scope);
                still.train_parts(&device, &[batch()], at(step)).unwrap();
                let mut moved = network(&device, &state, scope);
                let report = moved
                    .train_with_round(&device, &[batch()], at(step), alpha, None, None)
                    .unwrap();
                let grown: usize = report.0.layers.iter().map(|l| l.grown).sum();
                assert!(grown > 5, "{name}: {report:?}");
                let (alone, after) = (
                    still.export(&device).unwrap(),
                    moved.export(&device).unwrap(),
                );
                assert_eq!(after.optimiser.as_deref(), Some("aged-moments"));
                assert_eq!(after.parameters, alone.parameters, "{name}");
                for (after, alone) in after.layers.iter().zip(&alone.layers) {
                    assert_eq!(after.bias, alone.bias, "{name}");
                    assert_eq!(after.bias_state, alone.bias_state, "{name}");
                }
                // A kept connection has its old state, a grown one the start.
                let old = connections(&alone.layers);
                let new = connections(&after.layers);
                let begun = new.iter().filter(|(pair, kept)| {
                    let start = (0.0, 0.0, 1.0, 0);
                    let expected = old.get(*pair).unwrap_or(&start);
                    assert_eq!(*kept, expected, "{name}, {pair:?}");
                    !old.contains_key(*pair)
                });
                assert_eq!(begun.count(), grown, "{name}");

                // The step itself, by its definition.
                let arena = still.arena();
                let gradient = device.download(&arena.gradient().all()).unwrap();
                let before = network(&device, &state, scope).export(&device).unwrap();
                let flat = |layers| connections(layers).into_values().collect::<Vec<_>>();
                let name = &format!("{name}, step {step}");
                assert_stepped(&flat(&before.layers), &gradient, &flat(&alone.layers), name);
                let gradient = device.download(&arena.bias_gradient().all()).unwrap();
                let biases = |state: &NetworkState| -> Vec<Kept> {
                    (state.layers.iter())
                        .flat_map(|l| kept(&l.bias, &l.bias_state))
                        .collect()
                };
                assert_stepped(&biases(&before), &gradient, &biases(&alone), name);
                let norm = still.parameters().layer(0).unwrap();
                for array in ["weight", "bias"] {
                    let gradient = device.download(&norm.gradient_of(array).unwrap()).unwrap();
                    let of = |state: &NetworkState| -> Vec<Kept> {
                        let array = state.parameters[0].array(array).unwrap();
                        kept(&array.values, &array.state)
                    };
                    assert_stepped(&of(&before), &gradient, &of(&alone), name);
                }
                // What goes to the host comes back.
                still.import(&device, &alone).unwrap();
                assert_eq!(still.export(&device).unwrap(), alone, "{name}");
                state = after;
            }
            let ages = state.layers.iter().flat_map(|l| l.state.u32("age"));
            let ages: std::collections::BTreeSet<u32> = ages.copied().collect();
            let of = |range| ages.range(range).next().is_some();
            assert!(of(0..1) && of(1..4) && of(4..5), "{name}: {ages:?}");
        }
    }
}

#[test]
fn the_ledger_knows_its_arrays_by_name() {
    let device = Device::cpu(1).unwrap();
    let network = network(&device, &drawn(), Scope::Layer);
    for (owner, words) in [
        ("connections", network.arena().connections()),
        ("bias", network.arena().n_rows()),
        ("parameters", network.parameters().words()),
    ] {
        for array in ["first", "second", "age"] {
            let entries = device.ledger().entries();
            let label = format!("{owner}.{array}");
            let entry = entries.iter().find(|e| e.label == label).expect(&label);
            assert_eq!(entry.class, Class::Connections);
            let padded = 4 * words as u64..=4 * words.next_multiple_of(4) as u64;
            assert!(padded.contains(&entry.bytes), "{entry:?}");
        }
    }
}

fn open(adapter: &str) -> Device {
    match adapter {
        "cpu" => Device::cpu(2).unwrap(),
        name => Device::open(name, &DeviceOptions::default()).unwrap(),
    }
}

fn trainer(adapter: &str, name: &str, steps: Option<u64>) -> Trainer {
    let mut config = TrainConfig::default();
    config.model.sparsity = 0.8;
    config.run.epochs = 3;
    config.run.steps = steps;
    config.run.batch = 64;
    config.data.limit = Some(640);
    config.topology.round_every = 4;
    config.optimiser.lr = Some(0.3);
    let source = DataOptions {
        limit: config.data.limit,
        ..DataOptions::default()
    };
    let digits = data::load(&source).unwrap();
    let model = mlp(digits.shape.extent(), &[40, 30], digits.classes).unwrap();
    let setup = Setup {
        method: method(name).unwrap(),
        optimiser: Arc::new(AgedMoments {
            beta1: 0.9,
            beta2: 0.99,
            grown_up: 8.0,
        }),
        ..Setup::of(&config, model).unwrap()
    };
    Trainer::with_setup(open(adapter), config, digits, setup).unwrap()
}

fn run(trainer: &mut Trainer) -> Snapshot {
    let mut losses = Vec::new();
    let mut hear = |event: &Event| {
        if let Event::Epoch(epoch) = event {
            losses.push(epoch.train_loss);
        }
        Ok(())
    };
    trainer.run(&mut Hooks::observing(&mut hear)).unwrap();
    if let [first, .., last] = losses[..] {
        assert!(last < first, "{losses:?}");
    }
    trainer.snapshot().unwrap()
}

fn resumed_to_the_bit(adapter: &str, method: &str) {
    let unbroken = run(&mut trainer(adapter, method, None));
    assert!(unbroken.progress.rounds > 0, "{method}");
    let folder = tempfile::tempdir().unwrap();
    let stopped = run(&mut trainer(adapter, method, Some(13)));
    checkpoint::save(folder.path(), &stopped, "epochs = 3\n").unwrap();
    let loaded = checkpoint::load(folder.path()).unwrap();
    assert_eq!(
        loaded.manifest.optimiser.name.as_deref(),
        Some("aged-moments")
    );
    assert_eq!(loaded.snapshot.state, stopped.state, "{method}");
    let mut resumed = trainer(adapter, method, None);
    resumed.restore(loaded.snapshot).unwrap();
    assert_eq!(
        run(&mut resumed).state,
        unbroken.state,
        "{adapter} {method}"
    );
}

#[test]
fn it_goes_through_rounds_and_resumes_to_the_bit_on_the_cpu() {
    for method in ["gse-graest", "rigl", "topkast", "gradual"] {
        resumed_to_the_bit("cpu", method);
    }
}

#[test]
fn it_goes_through_rounds_and_resumes_to_the_bit_on_an_adapter() {
    resumed_to_the_bit("llvmpipe", "gse-graest");
}

#[test]
fn another_optimiser_does_not_go_on_from_its_state() {
    let device = Device::cpu(1).unwrap();
    let own = network(&device, &drawn(), Scope::Layer);
    let state = own.export(&device).unwrap();
    let method = method("gse-uniform").unwrap();
    let options = NetworkOptions::of_batch(COUNT);
    let build = |state, options| {
        Network::new(&device, &model(), state, options, method.as_ref()).map(|_| ())
    };
    says(build(&state, &options), &["`aged-moments`", "`sgd`"]);
    let mut plain = network(&device, &drawn(), Scope::Layer);
    let mut sgd = state.clone();
    sgd.optimiser = Some("sgd".into());
    says(plain.import(&device, &sgd), &["`sgd`", "`aged-moments`"]);
    // Under its own name, but with other arrays.
    let mut odd = state.clone();
    odd.layers[1].state = OptimiserState::starting(&[StateArray::f32("first", 0.0)], &[0.0; 20]);
    says(
        plain.import(&device, &odd),
        &["layer 1", "first, second, age"],
    );
    // The weights alone, and an evaluation, go with any.
    let weights = state.clone().without_optimiser();
    build(&weights, &options).unwrap();
    build(&state, &NetworkOptions::evaluation(COUNT)).unwrap();
}
