//! Whole networks with dense products and without: the same numbers within rounding, for full layers, layers with most
//! of their connections, and a mixture; and where dense products must not be.

use rootlet::data::{Batch, Targets};
use rootlet::engine::{Class, Device, StepState};
use rootlet::layer::{BatchNorm, Layer};
use rootlet::model::{Builder, Extent, Model, ModelOptions, Node, by_name};
use rootlet::network::{Network, NetworkOptions, NetworkState, Purpose};
use rootlet::sparse::Shape;
use rootlet::topology::from_dense::GradientTile;
use rootlet::topology::{Scope, method};
use std::sync::Arc;

use crate::common::{Random, devices, says};

const COUNT: usize = 6;

fn model(name: &str) -> Model {
    let options = ModelOptions {
        input: Extent {
            channels: 3,
            height: 16,
            width: 16,
        },
        classes: 10,
        width: 0.25,
        hidden: &[24, 24],
    };
    by_name(name, &options).unwrap()
}

/// The density of every layer in turn.
const MIXED: [f64; 4] = [1.0, 0.7, 0.3, 1.0];

/// The model with norms, but without the ReLUs in them.
fn without_kinks(model: Model) -> Model {
    let plain = |node: &Node| -> Option<Arc<dyn Layer>> {
        node.layer_as::<BatchNorm>()?;
        Some(Arc::new(BatchNorm { relu: false }))
    };
    model.with_layers(plain).unwrap()
}

fn counts(model: &Model, densities: &[f64]) -> Vec<u64> {
    let shapes: Vec<Shape> = model.shapes();
    let share = |(shape, density): (&Shape, &f64)| (shape.dense() as f64 * density).ceil() as u64;
    shapes
        .iter()
        .zip(densities.iter().cycle())
        .map(share)
        .collect()
}

fn network(
    device: &Device,
    model: &Model,
    state: &NetworkState,
    name: &str,
    options: NetworkOptions,
) -> Network {
    let method = method(name).unwrap();
    Network::new(device, model, state, &options, method.as_ref()).unwrap()
}

fn options(dense_above: f64) -> NetworkOptions {
    NetworkOptions {
        dense_above: Some(dense_above),
        ..NetworkOptions::of_batch(COUNT)
    }
}

fn batch(network: &Network) -> Batch {
    Batch {
        inputs: Random(1).reals(network.input().words()),
        targets: Targets::Labels((0..network.lanes() as u32).map(|i| i % 10).collect()),
        count: COUNT,
        weights: Vec::new(),
        index: 0,
    }
}

/// The gradients and logits of one step.
fn step(device: &Device, network: &Network) -> [Vec<f32>; 3] {
    let lanes = network.lanes();
    network.load(device, &batch(network)).unwrap();
    let state = StepState::whole(1, 0, COUNT, 0.0);
    network.train(device, state).unwrap();
    let arena = network.arena();
    let read = |view: rootlet::engine::View| device.download(&view).unwrap();
    let mut logits = read(network.logits());
    // What is in the padding lanes is not said.
    for row in logits.chunks_mut(lanes) {
        row[COUNT..].fill(0.0);
    }
    [
        read(arena.gradient().range(0..arena.connections())),
        read(arena.bias_gradient().range(0..arena.n_rows())),
        logits,
    ]
}

/// Compares the length of the difference; `tolerance` of it is left to rounding.
#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f32], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let length =
        |numbers: &mut dyn Iterator<Item = f64>| numbers.map(|x| x * x).sum::<f64>().sqrt();
    let differences = found.iter().zip(expected).map(|(f, e)| f64::from(f - e));
    let difference = length(&mut { differences });
    let all = length(&mut expected.iter().map(|e| f64::from(*e)));
    assert!(all > 0.0, "{what}: nothing to compare");
    assert!(
        difference <= tolerance * all,
        "{what}: differs by {difference} of {all}"
    );
}

#[test]
fn a_step_is_the_same_with_dense_products() {
    for (name, device) in devices() {
        for (model_name, densities) in [
            ("mlp", &[1.0][..]),
            ("mlp", &MIXED),
            ("resnet20", &[1.0]),
            ("resnet20", &MIXED),
            ("simple-vit-tiny", &MIXED),
            ("smooth resnet20", &[1.0]),
            ("smooth resnet20", &MIXED),
        ] {
            let model = match model_name {
                "smooth resnet20" => without_kinks(model("resnet20")),
                name => model(name),
            };
            // Where rounding moves a number across a ReLU's kink, a few gradients of a deep network differ by more than
            // rounding: without the ReLUs it is as close as the others. A product that is wrong anywhere is wrong by as
            // much as it is large.
            let tolerance = if model_name == "resnet20" { 5e-3 } else { 5e-6 };
            let state = NetworkState::initialise(&model, &counts(&model, densities), 1);
            let run = |dense_above| {
                let network = network(&device, &model, &state, "static", options(dense_above));
                step(&device, &network)
            };
            let (sparse, dense) = (run(2.0), run(0.5));
            for (part, what) in ["weights", "biases", "logits"].iter().enumerate() {
                let what = format!("{model_name} {densities:?} on {name}: {what}");
                assert_close(&what, &dense[part], &sparse[part], tolerance);
            }
            assert_ne!(dense, sparse, "{model_name}: nothing was dense");
        }
    }
}

/// Layers of fewer rows than a tile may have, of one tile, and of several, the last of them smaller.
#[test]
fn gradients_in_tiles_are_those_of_a_step() {
    let wide = {
        let mut net = Builder::new("wide", Extent::vector(768));
        let x = net.input();
        let h = net.linear("hidden", x, 1000);
        let logits = net.linear("logits", h, 10);
        net.finish(logits).unwrap()
    };
    // And how many tiles more than layers they have.
    let models = [
        (wide, 2),
        (model("resnet20"), 0),
        (model("simple-vit-tiny"), 0),
    ];
    for (name, device) in devices() {
        for (model, further) in &models {
            let what = format!("{} on {name}", model.name());
            let state = NetworkState::initialise(model, &counts(model, &[1.0]), 1);
            let [expected, ..] = step(
                &device,
                &network(&device, model, &state, "static", options(0.5)),
            );
            let options = NetworkOptions {
                purpose: Purpose::Gradients,
                class: Class::DenseWeights,
                ..options(0.5)
            };
            let network = network(&device, model, &state, "static", options);
            let held = device.ledger().current(Class::DenseWeights);
            let units: usize = model.shapes().iter().map(|s| s.n_in + 4 * s.n_out).sum();
            let most = 4 * (expected.len() + units + 256) as u64;
            assert!(held <= most, "{what}: {held} bytes, not {most}");

            let starts: Vec<usize> = (state.layers.iter())
                .scan(0, |sum, l| Some(std::mem::replace(sum, *sum + l.active())))
                .collect();
            let mut found = vec![f32::NAN; expected.len()];
            let mut tiles = 0;
            let parts = [batch(&network)];
            let whole = StepState::whole(1, 0, COUNT, 0.0);
            let each = &mut |tile: GradientTile<'_>| {
                tiles += 1;
                let start = starts[tile.layer] + tile.first;
                let place = &mut found[start..start + tile.gradients.len()];
                assert!(place.iter().all(|g| g.is_nan()), "{what}: a pair twice");
                place.copy_from_slice(tile.gradients);
            };
            network
                .gradient_tiles(&device, &parts, whole, each)
                .unwrap();
            assert_eq!(tiles, model.shapes().len() + further, "{what}");
            assert!(found == expected, "{what}: other gradients");
        }
    }
}

#[test]
fn only_a_network_for_gradients_has_them_in_tiles() {
    let device = Device::cpu(1).unwrap();
    let model = model("mlp");
    let state = NetworkState::initialise(&model, &counts(&model, &[1.0]), 1);
    let network = network(&device, &model, &state, "static", options(0.5));
    let state = StepState::whole(1, 0, COUNT, 0.0);
    let found = network.gradient_tiles(&device, &[batch(&network)], state, &mut |_| ());
    says(found, &["not made for gradients in tiles"]);
}

/// In scope global a round moves connections between layers, and with them the place of full ones.
#[test]
fn layers_are_dense_only_where_their_places_stay() {
    let device = Device::cpu(2).unwrap();
    let model = model("mlp");
    let state = NetworkState::initialise(&model, &counts(&model, &MIXED), 1);
    let run = |method, scope, dense_above| {
        let options = NetworkOptions {
            scope,
            ..options(dense_above)
        };
        step(&device, &network(&device, &model, &state, method, options))
    };
    let sparse = run("static", Scope::Layer, 2.0);
    assert_ne!(run("static", Scope::Global, 0.5), sparse);
    assert_ne!(run("gse-uniform", Scope::Layer, 0.5), sparse);
    assert_eq!(run("gse-uniform", Scope::Global, 0.5), sparse);
}

/// After rounds in scope layer a network still computes what a new one of its state does.
#[test]
fn rounds_leave_dense_layers_what_they_are() {
    for (name, device) in devices() {
        let model = model("mlp");
        let state = NetworkState::initialise(&model, &counts(&model, &MIXED), 1);
        let mut net = network(&device, &model, &state, "gse-uniform", options(0.5));
        let random = &mut Random(2);
        let batch = [Batch {
            inputs: random.reals(net.input().words()),
            targets: Targets::Labels((0..net.lanes() as u32).map(|i| i % 10).collect()),
            count: COUNT,
            weights: Vec::new(),
            index: 0,
        }];
        for number in 0..3 {
            let state = StepState::whole(1, number, COUNT, 0.1);
            let report = net.train_with_round(&device, &batch, state, 0.5, None, None);
            report.unwrap();
        }
        let after = net.export(&device).unwrap();
        assert_ne!(after.layers[1].col_indices, state.layers[1].col_indices);
        let found = step(&device, &net);
        let expected = step(
            &device,
            &network(&device, &model, &after, "static", options(2.0)),
        );
        for (found, expected) in found.iter().zip(&expected) {
            assert_close(&name, found, expected, 5e-6);
        }
    }
}

#[test]
fn a_state_with_other_full_layers_is_refused() {
    let device = Device::cpu(1).unwrap();
    let model = model("mlp");
    let full = counts(&model, &[1.0, 0.25, 1.0]);
    let mut other = full.clone();
    other[0] -= 5;
    other[1] += 5;
    let initialise = |counts: &[u64]| NetworkState::initialise(&model, counts, 1);
    let mut net = network(&device, &model, &initialise(&full), "static", options(0.5));
    says(
        net.import(&device, &initialise(&other)),
        &["layer 0", "all of them", "dense_above"],
    );
    net.import(&device, &initialise(&full)).unwrap();
    let mut sparse = network(&device, &model, &initialise(&full), "static", options(2.0));
    sparse.import(&device, &initialise(&other)).unwrap();
}
