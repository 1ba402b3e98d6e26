//! What a library's user can get wrong: models, layers, batches and data that do not fit are errors, not panics and not
//! other results.
#![allow(clippy::unwrap_used)]

#[path = "common/mod.rs"]
mod common;

use std::sync::Arc;

use common::says;
use rootlet::data::{self, Batch, DataOptions, Dataset, ImageShape, Split, Targets, Vectors};
use rootlet::engine::{Device, StepState};
use rootlet::layer::{Layer, Sparse};
use rootlet::model::{Builder, Extent, Model, Node};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::sparse::{Arena, LayerState};
use rootlet::topology;
use rootlet::train::{TrainConfig, Trainer};

fn model() -> Model {
    let mut net = Builder::new("small", Extent::vector(6));
    let x = net.input();
    let x = net.linear_relu("hidden", x, 8);
    let logits = net.linear("logits", x, 3);
    net.finish(logits).unwrap()
}

fn network(device: &Device, model: &Model, state: &NetworkState) -> rootlet::Result<Network> {
    let method = topology::method("static").unwrap();
    Network::new(
        device,
        model,
        state,
        &NetworkOptions::of_batch(4),
        method.as_ref(),
    )
}

#[test]
fn models_that_make_no_sense_are_refused() {
    let start = || Builder::new("small", Extent::vector(6));
    // A layer that does not take what it is given.
    let refused = |layer: Sparse, inputs: usize, parts: &[&str]| {
        let mut net = start();
        let x = net.input();
        says(
            net.layer("hidden", layer, &vec![x; inputs]).map(|_| ()),
            parts,
        );
    };
    refused(
        Sparse::linear(8),
        0,
        &["hidden", "takes 1 to 1 values, not 0"],
    );
    refused(
        Sparse::linear(8),
        2,
        &["hidden", "takes 1 to 1 values, not 2"],
    );
    refused(Sparse::linear(0), 1, &["hidden", "at least one number"]);
    refused(
        Sparse::linear(usize::MAX),
        1,
        &["hidden", "fewer than 2^32"],
    );
    refused(Sparse::convolution(8, 0, 1, 0), 1, &["hidden", "kernel"]);
    let far = usize::MAX;
    refused(
        Sparse::convolution(8, far, 1, far - 1),
        1,
        &["hidden", "32 bits"],
    );
    refused(Sparse::convolution(8, 2, 1, 0), 1, &["hidden", "kernel"]);
    // A value of another builder.
    let mut other = start();
    let far = (0..9).fold(other.input(), |x, _| other.relu(x));
    let mut net = start();
    says(net.shortcut(far, 8, 1).map(|_| ()), &["another model"]);
    // Errors of layers whose methods return none come at the end, the first of them.
    let mut net = start();
    let x = net.input();
    let y = net.linear("empty", x, 0);
    let logits = net.linear("logits", y, 3);
    says(
        net.finish(logits).map(|_| ()),
        &["empty", "at least one number"],
    );
    let mut net = start();
    let logits = net.linear("logits", far, 3);
    says(net.finish(logits).map(|_| ()), &["logits", "another model"]);
    // Logits that are not the last value, or no vector; a value that nothing takes; no connections.
    let mut net = start();
    let x = net.input();
    let logits = net.linear("logits", x, 3);
    net.relu(logits);
    says(net.finish(logits).map(|_| ()), &["must be the last value"]);
    let mut net = start();
    let x = net.input();
    net.linear("hidden", x, 8);
    let logits = net.linear("logits", x, 3);
    says(
        net.finish(logits).map(|_| ()),
        &["hidden", "nothing takes its value"],
    );
    let mut net = start();
    let x = net.input();
    let x = net.relu(x);
    says(net.finish(x).map(|_| ()), &["sparse layers"]);
    // A layer in another's place that makes another value.
    let wider = |node: &Node| -> Option<Arc<dyn Layer>> {
        (node.name() == "hidden").then(|| Arc::new(Sparse::linear(9)) as Arc<dyn Layer>)
    };
    says(
        model().with_layers(wider).map(|_| ()),
        &["hidden", "9, not 8"],
    );
}

#[test]
fn layers_with_wrong_indices_are_refused() {
    let device = Device::cpu(1).unwrap();
    let model = model();
    let good = NetworkState::initialise(&model, &[12, 6], 1);
    let mut network = network(&device, &model, &good).unwrap();
    let before = network.export(&device).unwrap();
    let refused = |change: &dyn Fn(&mut LayerState), part: &str, network: &mut Network| {
        let mut state = good.clone();
        change(&mut state.layers[1]);
        says(state.layers[1].check(), &[part]);
        says(
            Arena::new(&device, &state.layers).map(|_| ()),
            &["layer 1", part],
        );
        says(network.import(&device, &state), &["layer 1", part]);
        assert_eq!(network.export(&device).unwrap(), before);
    };
    refused(&|l| l.col_indices[5] = 8, "`col_indices`", &mut network);
    refused(
        &|l| l.col_indices[5] = u32::MAX,
        "`col_indices`",
        &mut network,
    );
    refused(
        &|l| l.crow_indices[1] = 99,
        "`crow_indices` goes wrong",
        &mut network,
    );
    refused(
        &|l| l.crow_indices[3] = 5,
        "`crow_indices` must start at 0 and end",
        &mut network,
    );
    refused(
        &|l| l.crow_indices.clear(),
        "`crow_indices` has 0",
        &mut network,
    );
    refused(&|l| l.values.truncate(2), "`values` has 2", &mut network);
    refused(&|l| l.bias.push(0.0), "`bias` has 4", &mut network);
    let absurd = LayerState {
        n_in: usize::MAX,
        n_out: usize::MAX,
        ..LayerState::default()
    };
    says(Arena::new(&device, &[absurd]).map(|_| ()), &["32-bit"]);
    // Pairs outside the matrix, or out of order.
    for pairs in [[(0, 0), (3, 0)], [(0, 0), (1, 9)], [(1, 0), (1, 0)]] {
        assert!(
            LayerState::from_pairs(4, 3, &pairs).check().is_err(),
            "{pairs:?}"
        );
    }
}

fn labels(batch: &mut Batch) -> &mut Vec<u32> {
    match &mut batch.targets {
        Targets::Labels(labels) => labels,
        Targets::Mixed(_) | Targets::Flags(_) | Targets::Values(_) => panic!("no labels"),
    }
}

#[test]
fn batches_that_do_not_fit_are_refused() {
    for (name, device) in common::devices() {
        let model = model();
        let network = network(
            &device,
            &model,
            &NetworkState::initialise(&model, &[12, 6], 1),
        )
        .unwrap();
        let good = Batch {
            inputs: vec![0.5; 6 * 4],
            targets: vec![0u32, 1, 2, 0].into(),
            count: 4,
            weights: Vec::new(),
            index: 0,
        };
        network.load(&device, &good).unwrap();
        let state = StepState::whole(1, 0, 4, 0.1);
        network
            .train_parts(&device, std::slice::from_ref(&good), state)
            .unwrap();
        let refused = |change: &dyn Fn(&mut Batch), part: &str| {
            let mut batch = good.clone();
            change(&mut batch);
            says(network.load(&device, &batch), &[part]);
            let trained = network.train_parts(&device, std::slice::from_ref(&batch), state);
            assert!(trained.is_err(), "{name}");
        };
        refused(
            &|b| labels(b)[3] = 3,
            "label 3 of sample 3 (counted from 0) is not below 3, the number of classes",
        );
        refused(&|b| labels(b)[0] = u32::MAX, "of sample 0");
        refused(
            &|b| b.inputs.truncate(20),
            "does not fit a network of 4 lanes",
        );
        refused(&|b| b.inputs.extend([0.0; 4]), "does not fit");
        refused(
            &|b| labels(b).truncate(3),
            "takes a class a sample, in 4 lanes",
        );
        refused(
            &|b| b.targets = vec![0.0f32; 4].into(),
            "4 numbers of a batch do not fit",
        );
        refused(&|b| b.count = 5, "5 samples with 24 numbers");
    }
}

/// A shape that no memory holds is an error, too.
#[test]
fn vectors_of_another_shape_are_refused() {
    let points = || Vectors::new(2, vec![0.0; 4], vec![0u32, 1]).unwrap();
    let shape = ImageShape {
        channels: usize::MAX,
        height: 1,
        width: 2,
    };
    says(
        Dataset::new("points", shape, points(), points()).map(|_| ()),
        &["they have 2 values"],
    );
}

#[test]
fn data_whose_labels_are_no_classes_are_refused() {
    let digits = data::load(&DataOptions::default()).unwrap();
    let with = |label: u32| {
        let pixels = digits.shape.features();
        let split = Split::new(
            pixels,
            vec![7; 8 * pixels],
            vec![1, 2, 3, 4, 5, 6, 7, label],
        )
        .unwrap();
        Arc::new(split)
    };
    let trainer = |data: Dataset| {
        Trainer::new(Device::cpu(1).unwrap(), TrainConfig::default(), data).map(|_| ())
    };
    let wrong = Dataset {
        train: with(10).into(),
        ..digits.clone()
    };
    says(
        trainer(wrong),
        &[
            "training images of digits",
            "label 10 of image 7",
            "10, the number of classes",
        ],
    );
    let wrong = Dataset {
        test: with(u32::MAX).into(),
        ..digits.clone()
    };
    says(
        trainer(wrong),
        &["test images of digits", "number of classes"],
    );
    let mut wrong = digits.clone();
    wrong.shape.height += 1;
    says(trainer(wrong), &["images of digits"]);
    let mut wrong = digits.clone();
    wrong.shape.channels = usize::MAX;
    says(trainer(wrong), &["does not fit images of"]);
    let mut wrong = digits.clone();
    wrong.class_names = vec!["nought".to_owned()];
    says(
        trainer(wrong),
        &["1 names of classes do not fit the 10 classes"],
    );
    trainer(Dataset {
        train: with(9).into(),
        ..digits
    })
    .unwrap();
}

#[test]
fn options_of_a_network_that_cannot_be_are_refused() {
    let (device, model) = (Device::cpu(1).unwrap(), model());
    let shapes = model.shapes();
    let counts: Vec<u64> = shapes.iter().map(|shape| shape.dense()).collect();
    let state = NetworkState::initialise(&model, &counts, 1);
    let refused = |change: &dyn Fn(&mut NetworkOptions), parts: &[&str]| {
        let mut options = NetworkOptions::of_batch(4);
        change(&mut options);
        let method = topology::method("gse-uniform").unwrap();
        let made = Network::new(&device, &model, &state, &options, method.as_ref());
        says(made.map(|_| ()), parts);
    };
    for batch in [0, usize::MAX] {
        refused(&|o| o.batch = batch, &["batch", "at least 1 sample"]);
    }
    refused(&|o| o.micro_batch = Some(0), &["micro_batch", "at least 1"]);
    for dense_above in [-1.0, f64::NAN] {
        refused(
            &|o| o.dense_above = Some(dense_above),
            &["dense_above", "density"],
        );
    }
    for gamma in [-1.0, f64::NAN] {
        refused(&|o| o.gamma = gamma, &["gamma", "factor of 0 or more"]);
    }
    refused(&|o| o.gamma = 1e30, &["fewer than 2^31"]);
}
