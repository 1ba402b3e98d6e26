//! The models by name: their counts against published ones, their sizes, and what is refused. Nothing is trained.
#![allow(clippy::unwrap_used)]

mod common;

use common::says;
use rootlet::model::{
    Builder, Extent, MODELS, Model, ModelCount, ModelOptions, VitOptions, by_name,
};
use rootlet::sparse::{Assignment, allocate};

fn image(side: usize) -> Extent {
    Extent {
        channels: 3,
        height: side,
        width: side,
    }
}

fn model(name: &str, side: usize, classes: usize, width: f64) -> Model {
    let options = ModelOptions {
        input: image(side),
        classes,
        width,
        hidden: &[256, 256],
    };
    by_name(name, &options).unwrap()
}

fn dense(model: &Model) -> ModelCount {
    let active: Vec<u64> = model.shapes().iter().map(|s| s.dense()).collect();
    ModelCount::new(model, &active)
}

/// CIFAR form: the parameters of He et al. 2016, table 6 (0.27 M … 1.7 M), exactly as in the option-A networks.
/// ImageNet form: torchvision's. Millions of multiply-adds: He et al. 2016, table 1 (1.8, 3.6, 3.8 G), as torchvision
/// counts them today, with the bottlenecks' stride in their 3×3.
#[test]
fn counts_are_the_published_ones() {
    for (name, side, classes, parameters, mega_macs) in [
        ("resnet20", 32, 10, 269_722, 40.6),
        ("resnet32", 32, 10, 464_154, 68.9),
        ("resnet44", 32, 10, 658_586, 97.2),
        ("resnet56", 32, 10, 853_018, 125.5),
        ("resnet110", 32, 10, 1_727_962, 252.9),
        ("resnet18", 224, 1000, 11_689_512, 1814.1),
        ("resnet34", 224, 1000, 21_797_672, 3663.8),
        ("resnet50", 224, 1000, 25_557_032, 4089.2),
    ] {
        let model = model(name, side, classes, 1.0);
        let count = dense(&model);
        assert_eq!(count.parameters(), parameters, "{name}");
        assert_eq!(count.parameters(), count.dense_parameters(), "{name}");
        let found = count.forward_flops() / 2e6;
        assert!((found - mega_macs).abs() < 0.05 * 1.01, "{name}: {found}");
    }
}

/// Layers by name: 6n + 2 of He et al., 16 of VGG-16 (13 convolutions and 3 linear), 50 and four projections of
/// ResNet-50.
#[test]
fn models_have_the_layers_that_their_names_say() {
    for (name, layers) in [
        ("resnet20", 20),
        ("resnet56", 56),
        ("resnet110", 110),
        ("vgg11-small", 11),
        ("vgg13-small", 13),
        ("vgg16-small", 16),
        ("vgg19-small", 19),
        ("resnet18", 18 + 3),
        ("resnet34", 34 + 3),
        ("resnet50", 50 + 4),
        ("simple-vit-tiny", 1 + 4 * 4 + 1),
        ("mlp", 3),
    ] {
        assert_eq!(model(name, 32, 10, 1.0).shapes().len(), layers, "{name}");
    }
}

/// `--width 4` gives a ResNet 16 times as many weights, and lowers Erdős–Rényi's share of them at the same number.
#[test]
fn width_multiplies_channels_and_connections_can_stay() {
    for name in MODELS {
        let [narrow, wide] = [1.0, 4.0].map(|width| model(name, 32, 10, width));
        let [n, w] = [&narrow, &wide].map(dense);
        // Inner layers grow sixteenfold, and those at an end fourfold.
        assert!(w.dense > 4 * n.dense, "{name}: {} {}", n.dense, w.dense);
        let kept = n.dense / 10;
        for (model, count) in [(&narrow, &n), (&wide, &w)] {
            let sparsity = 1.0 - kept as f64 / count.dense as f64;
            let active = allocate(&model.shapes(), sparsity, Assignment::ErdosRenyi).unwrap();
            assert_eq!(active.iter().sum::<u64>(), kept, "{name}");
            let count = ModelCount::new(model, &active);
            assert_eq!(count.parameters(), kept + count.biases + count.norms);
            assert!(count.step_flops() >= 3.0 * count.attention_flops);
        }
    }
}

#[test]
fn images_of_other_sizes_are_taken_or_refused_by_name() {
    for side in [64, 224] {
        for name in MODELS {
            let model = model(name, side, 20, 0.5);
            assert_eq!(model.classes(), 20);
            assert_eq!(model.input(), image(side));
        }
    }
    let build = |name: &str, side: usize, width: f64| {
        let options = ModelOptions {
            input: image(side),
            classes: 10,
            width,
            hidden: &[],
        };
        by_name(name, &options)
    };
    says(
        build("vgg16-small", 8, 1.0),
        &["vgg16-small", "3×8×8", "max-pool"],
    );
    says(
        build("simple-vit-tiny", 30, 1.0),
        &["patches of 4×4", "3×30×30"],
    );
    says(
        build("lenet", 32, 1.0),
        &["lenet", "resnet20", "simple-vit"],
    );
    for width in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        says(build("resnet20", 32, width), &["`width`"]);
    }
    // However narrow, a layer keeps a unit.
    assert!(
        build("resnet20", 32, 1e-6)
            .unwrap()
            .shapes()
            .iter()
            .all(|s| s.dense() > 0)
    );
}

#[test]
fn a_vit_stays_a_multiple_of_four_wide() {
    for width in [0.1, 0.3, 1.0, 1.7, 4.0] {
        let wide = VitOptions::tiny().wide(width);
        assert!(wide.dim.is_multiple_of(4) && wide.heads > 0 && wide.mlp > 0);
    }
    assert_eq!(VitOptions::tiny().wide(1.0), VitOptions::tiny());
}

#[test]
fn models_that_cannot_be_are_refused() {
    let start = || Builder::new("own", image(8));
    let mut net = start();
    let x = net.input();
    says(net.conv("big", x, 4, 9, 1, 0), &["own", "big", "[9, 9]"]);
    says(net.shortcut(x, 2, 2), &["pad", "2 channels"]);
    says(net.dropout(x, 1.0), &["share of 1"]);
    says(
        net.attention(x, 2, 4),
        &["24 features (queries, keys and values), not 3"],
    );
    says(net.positions(x), &["multiple of 4", "not 3"]);
    let y = net.mean(x);
    says(net.add(x, y), &["adds 3 to 3×8×8"]);
    says(start().finish(x), &["one vector"]);
    let mut net = start();
    let x = net.input();
    let _unused = net.relu(x);
    let x = net.mean(x);
    let x = net.linear("classifier", x, 5);
    says(net.finish(x), &["nothing takes its value"]);
    let mut net = start();
    let x = net.input();
    let x = net.mean(x);
    says(net.finish(x), &["sparse layers"]);
}

#[test]
fn node_inputs_come_before_the_node() {
    for name in MODELS {
        let model = model(name, 32, 10, 1.0);
        for (n, node) in model.nodes().iter().enumerate() {
            assert!(node.inputs().iter().all(|&i| i < n), "{name}");
            assert_eq!(node.inputs().is_empty(), n == 0, "{name}");
        }
    }
}
