//! What a library's user can get wrong: models, layers, batches and data that do not fit are errors, not panics and not other results.
#![allow(clippy::unwrap_used)]

#[path = "common/mod.rs"]
mod common;

use std::sync::Arc;

use common::says;
use rootlet::data::{self, Batch, DataSource, Dataset, Split};
use rootlet::engine::{Device, StepState};
use rootlet::model::{Builder, Extent, Model, Node, Op};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::sparse::{Arena, LayerState, Window};
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

fn linear(name: &str, inputs: &[usize], units: usize) -> Node {
    Node {
        name: name.into(),
        op: Op::Sparse {
            window: Window::pointwise([1, 1]),
            bias: true,
            relu: false,
        },
        inputs: inputs.to_vec(),
        extent: Extent::vector(units),
    }
}

#[test]
fn models_that_are_out_of_order_are_refused() {
    let device = Device::cpu(1).unwrap();
    let refused = |change: &dyn Fn(&mut Vec<Node>), parts: &[&str]| {
        let mut wrong = model();
        change(&mut wrong.nodes);
        says(wrong.check(), parts);
        // Neither does what looks at it before the check panic.
        let _ = (
            wrong.input(),
            wrong.classes(),
            wrong.shapes(),
            wrong.consumers(),
        );
        let state = NetworkState::draw(&model(), &[4, 4], 1);
        says(network(&device, &wrong, &state).map(|_| ()), parts);
        let data = data::load(&DataSource::default()).unwrap();
        let method = topology::method("static").unwrap();
        let trainer = Trainer::with_model(
            Device::cpu(1).unwrap(),
            TrainConfig::default(),
            data,
            wrong,
            method,
        );
        says(trainer.map(|_| ()), parts);
    };
    model().check().unwrap();
    refused(&|nodes| nodes.clear(), &["small", "no nodes"]);
    refused(
        &|nodes| nodes[1].inputs = vec![2],
        &["hidden", "node 2, which is not before node 1"],
    );
    refused(
        &|nodes| nodes[1].inputs = vec![1],
        &["hidden", "not before"],
    );
    refused(
        &|nodes| nodes[2].inputs = vec![usize::MAX],
        &["logits", "not before"],
    );
    refused(
        &|nodes| nodes[2].inputs.clear(),
        &["logits", "takes 1 to 1 values, not 0"],
    );
    refused(
        &|nodes| nodes[2].inputs = vec![0],
        &["hidden", "nothing takes its value"],
    );
    refused(
        &|nodes| nodes[0] = linear("first", &[], 6),
        &["first", "the input is the first"],
    );
    refused(
        &|nodes| nodes[1].op = Op::Input,
        &["hidden", "the input is the first"],
    );
    refused(
        &|nodes| nodes[1].op = Op::Gelu,
        &["hidden", "makes a value of 6, not 8"],
    );
    refused(
        &|nodes| {
            nodes[2].extent = Extent {
                channels: 3,
                height: 2,
                width: 1,
            }
        },
        &["logits", "makes a value of 3"],
    );
    refused(
        &|nodes| nodes[2].extent.channels = 0,
        &["logits", "none may be empty"],
    );
    refused(
        &|nodes| nodes[1].extent.channels = usize::MAX,
        &["hidden", "none may be empty"],
    );
    refused(&|nodes| nodes.truncate(1), &["sparse layers"]);
    let window = |kernel: [usize; 2], padding: [usize; 2]| Window {
        kernel,
        padding,
        ..Window::pointwise([1, 1])
    };
    for window in [
        window([0, 1], [0, 0]),
        window([usize::MAX; 2], [usize::MAX - 1; 2]),
        window([2, 1], [1, 0]),
    ] {
        refused(
            &|nodes| {
                nodes[1].op = Op::Sparse {
                    window,
                    bias: true,
                    relu: true,
                };
            },
            &["hidden"],
        );
    }
}

#[test]
fn layers_with_wrong_indices_are_refused() {
    let device = Device::cpu(1).unwrap();
    let model = model();
    let good = NetworkState::draw(&model, &[12, 6], 1);
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

#[test]
fn batches_that_do_not_fit_are_refused() {
    for (name, device) in common::devices() {
        let model = model();
        let network = network(&device, &model, &NetworkState::draw(&model, &[12, 6], 1)).unwrap();
        let good = Batch {
            inputs: vec![0.5; 6 * 4],
            labels: vec![0, 1, 2, 0],
            count: 4,
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
            &|b| b.labels[3] = 3,
            "class 3, and the network tells 3 classes apart",
        );
        refused(&|b| b.labels[0] = u32::MAX, "tells 3 classes apart");
        refused(
            &|b| b.inputs.truncate(20),
            "does not fit a network of 4 lanes",
        );
        refused(&|b| b.inputs.extend([0.0; 4]), "does not fit");
        refused(&|b| b.labels.truncate(3), "does not fit");
        refused(&|b| b.count = 5, "5 images in 4 lanes");
    }
}

#[test]
fn data_whose_labels_are_no_classes_are_refused() {
    let digits = data::load(&DataSource::default()).unwrap();
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
    trainer(Dataset {
        train: with(9).into(),
        ..digits
    })
    .unwrap();
}
