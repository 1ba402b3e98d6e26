//! RigL within a network, and GSE with all inactive pairs for candidates: what grows are the largest of all inactive
//! pairs' gradients, computed densely from the step's own activations and deltas; by each loss.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{NOISE, SCOPES, cpu, gpu, noise_batch, run};
use rootlet::data::{Batch, ImageShape, TargetKind, Targets};
use rootlet::engine::{Device, StepState, View};
use rootlet::loss::{BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanSquaredError};
use rootlet::model::Model;
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::topology::MethodName;
use rootlet::topology::{Scope, method};
use rootlet::train::{TrainConfig, Trainer};

const COUNT: usize = NOISE;
const ALPHA: f64 = 0.3;

fn config(model: &str) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.name = model.into();
    config.model.hidden = vec![20, 16];
    config.model.width = if model == "mlp" { 1.0 } else { 0.25 };
    config.model.sparsity = 0.8;
    config.topology.method = MethodName::Rigl;
    config
}

fn build(model: &str) -> (Model, NetworkState) {
    let shape = ImageShape {
        channels: 1,
        height: 8,
        width: 8,
    };
    let config = config(model);
    let model = config.build_model(shape, 10).unwrap();
    let counts = config.model.allocate(&model).unwrap();
    let state = NetworkState::initialise(&model, &counts, 3);
    (model, state)
}

fn options(scope: Scope, parts: usize, loss: &Arc<dyn Loss>) -> NetworkOptions {
    NetworkOptions {
        loss: loss.clone(),
        metric: None,
        scope,
        // So many that no inactive pair is left out.
        gamma: 1000.0,
        distinct: true,
        micro_batch: Some(COUNT),
        keep: parts == 1,
        ..NetworkOptions::of_batch(COUNT * parts)
    }
}

/// A step at a learning rate of zero with a round: the state after it, and what the round told.
fn step(
    device: &Device,
    built: &(Model, NetworkState),
    rules: (&str, Scope),
    parts: &[Batch],
    loss: &Arc<dyn Loss>,
) -> (Network, rootlet::topology::RoundReport) {
    let options = options(rules.1, parts.len(), loss);
    let m = method(rules.0).unwrap();
    let mut network = Network::new(device, &built.0, &built.1, &options, m.as_ref()).unwrap();
    let state = StepState::whole(1, 0, COUNT * parts.len(), 0.0);
    let (report, _) = network
        .train_with_round(device, parts, state, ALPHA, None, None)
        .unwrap();
    (network, report)
}

/// |g| of all pairs of a layer, `[n_out][n_in]`.
fn dense(device: &Device, model: &Model, network: &Network, layer: usize) -> Vec<Vec<f64>> {
    let read = |view: &View| -> Vec<f32> { device.download(view).unwrap() };
    let sparse = &model.sparse()[layer];
    let node = &model.nodes()[sparse.node];
    let window = sparse.window;
    let kept = |name: &str, what: &str| network.retained(&format!("{name}.{what}"));
    // A value that a node hands on as it is, is kept by the name of the node before.
    let mut from = node.inputs()[0];
    let h = loop {
        let name = match model.nodes()[from].name() {
            "" => format!("node{from}"),
            name => name.to_owned(),
        };
        match kept(&name, "output") {
            Some(view) => break view,
            None if from == 0 => break network.input(),
            None => from = model.nodes()[from].inputs()[0],
        }
    };
    let h = read(&h);
    let from = model.nodes()[node.inputs()[0]].extent();
    assert_eq!(h.len(), from.size() * COUNT, "the input of {}", node.name());
    let mut delta = read(&kept(node.name(), "delta").unwrap());
    if node.layer().ends_in_relu() {
        let output = read(&kept(node.name(), "output").unwrap());
        for (d, y) in delta.iter_mut().zip(output) {
            *d = if y > 0.0 { *d } else { 0.0 };
        }
    }
    let [height, width] = window.input;
    let positions = window.output_positions();
    let g = |b: usize, a: usize| -> f64 {
        let (c, tap) = (a / window.taps(), a % window.taps());
        let (ky, kx) = (tap / window.kernel[1], tap % window.kernel[1]);
        let mut sum = 0.0;
        for position in 0..positions {
            let y = position / window.output[1] * window.stride[0] + ky;
            let x = position % window.output[1] * window.stride[1] + kx;
            let (y, x) = (
                y.wrapping_sub(window.padding[0]),
                x.wrapping_sub(window.padding[1]),
            );
            if y < height && x < width {
                let at_h = ((c * height + y) * width + x) * COUNT;
                let at_d = (b * positions + position) * COUNT;
                let lanes = h[at_h..at_h + COUNT].iter().zip(&delta[at_d..at_d + COUNT]);
                sum += lanes
                    .map(|(h, d)| f64::from(*h) * f64::from(*d))
                    .sum::<f64>();
            }
        }
        sum.abs()
    };
    (0..sparse.shape.n_out)
        .map(|b| (0..sparse.shape.n_in).map(|a| g(b, a)).collect())
        .collect()
}

/// The loss of the networks in other tests.
fn cross_entropy() -> Arc<dyn Loss> {
    Arc::new(CrossEntropy::default())
}

/// A batch with targets for that loss.
fn batch_for(loss: &Arc<dyn Loss>) -> Batch {
    let batch = noise_batch(5);
    // As noisy as its inputs, and in the same order.
    let numbers = batch.inputs[..10 * NOISE].to_vec();
    let targets = match loss.targets(10) {
        TargetKind::Labels => batch.targets.clone(),
        TargetKind::Flags(_) => {
            let applies = numbers.iter().map(|x| f32::from(u8::from(*x > 0.0)));
            Targets::Flags(applies.collect())
        }
        TargetKind::Values(_) => Targets::Values(numbers),
    };
    Batch { targets, ..batch }
}

fn grows_the_largest(
    device: fn() -> Device,
    name: &str,
    rules: (&str, Scope),
    loss: &Arc<dyn Loss>,
) {
    let at = format!("{name}, {rules:?}, {}", loss.name());
    let (_, scope) = rules;
    let built = build(name);
    let device = device();
    let (network, report) = step(&device, &built, rules, &[batch_for(loss)], loss);
    let after = network.export(&device).unwrap().layers;
    let before = &built.1.layers;
    // By segment: |g| of the grown, and of those left behind.
    let segments = if scope == Scope::Layer {
        before.len()
    } else {
        1
    };
    let mut grown = vec![Vec::new(); segments];
    let mut left = vec![Vec::new(); segments];
    for l in 0..before.len() {
        let g = dense(&device, &built.0, &network, l);
        let active: BTreeSet<_> = before[l].pairs().collect();
        let now: BTreeSet<_> = after[l].pairs().collect();
        let mut scored = 0;
        let mut sum = 0.0;
        let mut count = 0;
        for (b, row) in (0u32..).zip(&g) {
            for (a, &g) in (0u32..).zip(row) {
                if active.contains(&(b, a)) {
                    continue;
                }
                scored += 1;
                let segment = if scope == Scope::Layer { l } else { 0 };
                if now.contains(&(b, a)) {
                    grown[segment].push(g);
                    sum += g;
                    count += 1;
                } else {
                    left[segment].push(g);
                }
            }
        }
        let told = &report.layers[l];
        assert_eq!((told.candidates, told.grown), (scored, count), "{at}, {l}");
        let mean = sum / count.max(1) as f64;
        let told = f64::from(told.grown_gradient);
        assert!(
            (told - mean).abs() <= 1e-4 * mean,
            "{at}, {l}: {told} {mean}"
        );
    }
    let mut all = 0;
    for (grown, left) in grown.iter().zip(&left) {
        all += grown.len();
        let least = grown.iter().copied().fold(f64::INFINITY, f64::min);
        let most = left.iter().copied().fold(0.0, f64::max);
        // Gradients in f32 may change places with their next neighbour.
        assert!(
            least >= most * (1.0 - 1e-5),
            "{at}: {least} grown, {most} not"
        );
    }
    assert!(all > 20, "{at}: {all} grown");
}

#[test]
fn the_largest_of_all_gradients_grow() {
    let losses: [Arc<dyn Loss>; 4] = [
        cross_entropy(),
        Arc::new(BinaryCrossEntropy::default()),
        Arc::new(MeanSquaredError),
        Arc::new(Huber::new(0.2).unwrap()),
    ];
    for scope in SCOPES {
        for device in [cpu, gpu] {
            for loss in &losses {
                for method in ["rigl", "gse-uniform", "gse-grabo", "gse-graest"] {
                    grows_the_largest(device, "mlp", (method, scope), loss);
                }
            }
        }
        grows_the_largest(cpu, "resnet20", ("rigl", scope), &losses[0]);
    }
    grows_the_largest(gpu, "resnet20", ("rigl", Scope::Global), &losses[0]);
}

/// Of a batch in parts the first one decides, whatever the others are.
#[test]
fn the_first_part_of_a_batch_scores() {
    for scope in SCOPES {
        for device in [cpu(), gpu()] {
            let built = build("mlp");
            let state = |parts: &[Batch]| {
                let (network, report) =
                    step(&device, &built, ("rigl", scope), parts, &cross_entropy());
                // The momentum is that of all parts.
                let layers: Vec<_> = (network.export(&device).unwrap().layers.into_iter())
                    .map(|l| (l.crow_indices, l.col_indices, l.values))
                    .collect();
                let counts: Vec<_> = (report.layers.iter())
                    .map(|l| (l.candidates, l.grown))
                    .collect();
                (layers, counts)
            };
            let (a, b, c) = (noise_batch(5), noise_batch(6), noise_batch(7));
            let alone = state(std::slice::from_ref(&a));
            assert!(state(&[a.clone(), b.clone()]) == alone, "{scope:?}");
            assert!(state(&[a, c.clone()]) == alone, "{scope:?}");
            assert!(state(&[c, b]) != alone, "{scope:?}");
        }
    }
}

#[test]
fn a_run_in_parts_says_what_scores() {
    let data = crate::digits(Some(64));
    let note = |batch: usize, micro_batch: Option<usize>, method: MethodName| {
        let mut config = config("mlp");
        config.run.batch = batch;
        config.machine.micro_batch = micro_batch;
        config.topology.method = method;
        config.run.steps = Some(1);
        let mut trainer = Trainer::new(cpu(), config, data.clone()).unwrap();
        let (log, result) = run(&mut trainer);
        result.unwrap();
        (log.notes.iter())
            .any(|n| n.contains("scores by the first part of a batch alone, 8 samples"))
    };
    assert!(note(32, Some(8), MethodName::Rigl));
    assert!(!note(32, None, MethodName::Rigl));
    assert!(!note(32, Some(8), MethodName::GseUniform));
}
