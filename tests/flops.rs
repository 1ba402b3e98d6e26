//! Training FLOPs against counts by hand.
#![allow(clippy::unwrap_used)]

use rootlet::model::{Extent, Model, ModelCount, ModelOptions, by_name, mlp};
use rootlet::sparse::{Assignment, allocate};
use rootlet::train::cost::{TrainingCost, counted, dense_step};

/// 4-3-2 with 6 of 12 and 3 of 6 connections.
fn tiny() -> ModelCount {
    let input = Extent {
        channels: 4,
        height: 1,
        width: 1,
    };
    ModelCount::new(&mlp(input, &[3], 2).unwrap(), &[6, 3])
}

#[test]
fn a_tiny_model_by_hand() {
    let count = tiny();
    assert_eq!(count.forward_flops(), 18.0);
    assert_eq!(dense_step(&count), 3.0 * 2.0 * 18.0);
    for (method, gamma, step, before) in [
        ("static", 1.0, 54.0, 0.0),
        ("set", 1.0, 54.0, 0.0),
        // Every tenth step, the gradients of 9 candidates, of 18, and of all 18 pairs.
        ("gse", 1.0, 54.0 + 1.8, 0.0),
        ("gse", 2.0, 54.0 + 3.6, 0.0),
        ("rigl", 2.0, 54.0 + 3.6, 0.0),
        ("snip", 1.0, 54.0, 108.0),
        ("grasp", 1.0, 54.0, 216.0),
        ("synflow", 1.0, 54.0, 10_800.0),
        // Dense for 0.3; for half of the steps, a quarter of the way between sparse and dense.
        ("gradual", 1.0, 54.0 + (0.3 + 0.5 * 0.25) * 54.0, 0.0),
        ("lottery", 1.0, 108.0 + 54.0, 0.0),
        // Backward with all: 2 (9 + 2 × 18).
        ("topkast", 1.0, 90.0, 0.0),
        ("dense", 1.0, 108.0, 0.0),
    ] {
        let cost = TrainingCost::named(method, gamma, 0.1).unwrap();
        let found = cost.average(&count);
        assert!((found - step).abs() < 1e-9, "{method}: {found} {step}");
        assert_eq!(cost.before(&count), before, "{method}");
        assert!(counted().iter().any(|name| name == method));
    }
    let error = TrainingCost::named("rigel", 1.0, 0.1).unwrap_err();
    assert!(error.to_string().contains("topkast"), "{error}");
}

fn resnet50() -> Model {
    let options = ModelOptions {
        input: Extent {
            channels: 3,
            height: 224,
            width: 224,
        },
        classes: 1000,
        width: 1.0,
        hidden: &[],
    };
    by_name("resnet50", &options).unwrap()
}

/// How much less GSE computes than RigL, where f is the share of the dense forward pass: (3 f + gamma f r) / (3 f + r).
fn saved(f: f64, gamma: f64, rounds: f64) -> f64 {
    1.0 - (3.0 * f + gamma * f * rounds) / (3.0 * f + rounds)
}

/// The published figure: 11.8 % fewer FLOPs than RigL for ResNet-50 on ImageNet at 99 % sparsity.
#[test]
fn resnet50_at_99_percent_against_rigl() {
    let model = resnet50();
    let count = |active: &[u64]| ModelCount::new(&model, active);
    let shapes = model.shapes();
    let pairs: Vec<u64> = shapes.iter().map(|s| s.dense()).collect();
    // 4.09 G multiply-adds, the known number for this network.
    assert!((count(&pairs).forward_flops() / 8.178e9 - 1.0).abs() < 1e-4);

    let active = allocate(&shapes, 0.99, Assignment::ErdosRenyi).unwrap();
    let sparse = count(&active);
    let ratio = |gamma: f64, rounds: f64| {
        let of = |name| TrainingCost::named(name, gamma, rounds).unwrap();
        1.0 - of("gse").average(&sparse) / of("rigl").average(&sparse)
    };
    // Ours: inputs are counted with the kernel's taps.
    let f = sparse.forward_flops() / count(&pairs).forward_flops();
    for (gamma, rounds, expected) in [
        (1.0, 0.01, 0.11514),
        (2.0, 0.01, 0.11220),
        (2.0, 0.6 / 1000.0, 0.00757),
    ] {
        let found = ratio(gamma, rounds);
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        assert!((found - saved(f, gamma, rounds)).abs() < 1e-12);
    }

    // Erdős–Rényi by channels and kernel sides, as Evci et al. write it and the paper follows: n_in + n_out + k + k.
    let scale_of = |layer: &rootlet::model::LayerCount| {
        let side = match layer.name.as_str() {
            "stem.conv" => 7,
            name if name.ends_with("conv2") => 3,
            _ => 1,
        };
        let kernel = if layer.name == "classifier" {
            0
        } else {
            2 * side
        };
        (layer.n_in / (side * side) + layer.n_out + kernel) as f64
    };
    let dense = count(&pairs);
    let sizes: Vec<f64> = dense.layers.iter().map(scale_of).collect();
    let scale = 0.01 * dense.dense as f64 / sizes.iter().sum::<f64>();
    let densities = sizes.iter().zip(&pairs).map(|(s, &p)| s * scale / p as f64);
    let densities: Vec<f64> = densities.collect();
    assert!(densities.iter().all(|&d| d < 1.0), "no layer is clipped");
    let layers = dense.layers.iter().zip(&densities);
    let f = layers.map(|(l, d)| l.forward_flops * d).sum::<f64>() / dense.forward_flops();
    let published = 100.0 * saved(f, 1.0, 0.01);
    assert!((published - 11.75).abs() < 0.01, "{published}");
}
