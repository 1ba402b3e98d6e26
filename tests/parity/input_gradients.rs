//! The gradients at the input of what an evaluation computes, against differences in f64.

use crate::graphs::drawn;
use crate::host::{Activation, Host};
use crate::norms;
use crate::{Random, assert_close, devices};
use rootlet::data::{Batch, Targets};
use rootlet::engine::Device;
use rootlet::model::{Builder, Extent, Model, VitOptions, mlp, simple_vit};
use rootlet::network::{Network, NetworkOptions, NetworkState, Purpose};
use rootlet::topology::method;

const COUNT: usize = 3;

/// A state whose norms have other running statistics than those of a batch.
fn state(model: &Model, random: &mut Random) -> NetworkState {
    let counts: Vec<u64> = (model.sparse().iter())
        .map(|layer| (layer.shape.dense() * 2 / 5).clamp(1, 200))
        .collect();
    let mut state = NetworkState::initialise(model, &counts, random.below(1 << 30) as u32);
    for norm in &mut state.parameters {
        let channels = norm.values("weight").len();
        let mut around = |middle: f32, by: f32| -> Vec<f32> {
            let reals = random.reals(channels, 1.0);
            reals.iter().map(|x| middle + by * x).collect()
        };
        let (weight, bias) = (around(1.0, 0.5), around(0.0, 0.5));
        let (mean, variance) = (around(0.1, 0.4), around(1.0, 0.7));
        norms::set(norm, "weight", weight);
        norms::set(norm, "bias", bias);
        if norm.kind == "batch-norm" {
            norms::set(norm, "running_mean", mean);
            norms::set(norm, "running_variance", variance);
        }
    }
    state
}

/// Whether the model's numbers are clear of kinks; if so its gradients were compared.
fn check(devices: &[Device], model: &Model, seed: u64) -> bool {
    let mut random = Random(seed);
    let state = state(model, &mut random);
    let (lanes, classes) = (COUNT.next_multiple_of(4), model.classes());
    let batch = Batch {
        inputs: random.reals(model.input().size() * lanes, 2.0),
        targets: Targets::Labels(vec![0; lanes]),
        count: COUNT,
        weights: Vec::new(),
        index: 0,
    };
    let weights = random.reals(classes * lanes, 1.0);
    let inputs: Activation = (0..COUNT)
        .map(|i| {
            let lane = batch.inputs[i..].iter().step_by(lanes);
            lane.map(|&x| f64::from(x)).collect()
        })
        .collect();
    let mut host = Host::new(model, &state);
    host.evaluates = true;
    if host.outputs(&inputs).1 < 1e-4 {
        return false;
    }
    // The weighted sum of one sample's logits.
    let sum = |sample: usize, inputs: &[f64]| -> f64 {
        let (outputs, _) = host.outputs(&vec![inputs.to_vec()]);
        let weighted = outputs[0].iter().enumerate();
        weighted
            .map(|(c, z)| z * f64::from(weights[c * lanes + sample]))
            .sum()
    };
    let mut expected = vec![0f32; batch.inputs.len()];
    for (sample, own) in inputs.iter().enumerate() {
        for input in 0..own.len() {
            let nudged = |by: f64| {
                let mut own = own.clone();
                own[input] += by;
                sum(sample, &own)
            };
            expected[input * lanes + sample] = ((nudged(1e-6) - nudged(-1e-6)) / 2e-6) as f32;
        }
    }
    for device in devices {
        for fused in [false, true] {
            for keep in [false, true] {
                let options = NetworkOptions {
                    purpose: Purpose::InputGradients,
                    fused: Some(fused),
                    keep,
                    ..NetworkOptions::of_batch(COUNT)
                };
                let method = method("static").unwrap();
                let network =
                    Network::new(device, model, &state, &options, method.as_ref()).unwrap();
                // Twice: nothing of the first pass is in the second.
                for _ in 0..2 {
                    let found = network.input_gradients(device, &batch, &weights).unwrap();
                    let at = format!("{}, {}, fused {fused}", model.name(), device.name());
                    assert_close(&at, &found, &expected, 2e-4);
                }
            }
        }
    }
    true
}

#[test]
fn input_gradients_are_the_differences_of_the_outputs() {
    let devices = devices();
    let image = Extent {
        channels: 3,
        height: 4,
        width: 6,
    };
    let residual = {
        let mut net = Builder::new("residual", image);
        let x = net.input();
        let stem = net.conv("stem", x, 8, 3, 1, 1).unwrap();
        let x = net.batch_norm_relu("norm0", stem);
        let y = net.conv("conv1", x, 8, 3, 1, 1).unwrap();
        let x = net.batch_norm_add_relu("norm1", y, x).unwrap();
        let y = net.conv("conv2", x, 16, 3, 2, 1).unwrap();
        let short = net.shortcut(x, 16, 2).unwrap();
        let x = net.batch_norm_add_relu("norm2", y, short).unwrap();
        let y = net.conv("conv3", x, 16, 3, 1, 1).unwrap();
        let y = net.batch_norm("norm3", y);
        let x = net.mean(y);
        let x = net.dropout(x, 0.5).unwrap();
        let logits = net.linear("classifier", x, 5);
        net.finish(logits).unwrap()
    };
    // The input goes on unchanged: its gradient is first another value's.
    let passed = {
        let mut net = Builder::new("passed on", Extent::vector(12));
        let x = net.input();
        let kept = net.dropout(x, 0.3).unwrap();
        let a = net.linear_relu("a", kept, 12);
        let sum = net.add(a, x).unwrap();
        let flat = net.flatten(sum);
        let logits = net.linear("classifier", flat, 4);
        net.finish(logits).unwrap()
    };
    let vit = VitOptions {
        patch: 2,
        dim: 16,
        depth: 2,
        heads: 2,
        head_dim: 4,
        mlp: 12,
    };
    let models = [
        mlp(Extent::vector(20), &[24, 16], 6).unwrap(),
        residual,
        passed,
        simple_vit("vit", image, vit, 5).unwrap(),
    ];
    for model in &models {
        let mut seeds = 0..30;
        assert!(
            seeds.any(|seed| check(&devices, model, seed)),
            "{}: no seed is clear of the kinks",
            model.name()
        );
    }
}

#[test]
fn drawn_graphs_have_the_input_gradients_of_their_outputs() {
    let devices = devices();
    let mut random = Random(711);
    let mut checked = 0;
    for number in 0..12 {
        let model = drawn(&format!("graph {number}"), 4 + number / 2, &mut random);
        checked += usize::from(check(&devices, &model, 50 + number as u64));
    }
    assert!(checked >= 5, "{checked} graphs were clear of kinks");
}

#[test]
fn a_network_for_something_else_refuses() {
    let device = Device::cpu(1).unwrap();
    let model = mlp(Extent::vector(4), &[], 2).unwrap();
    let state = NetworkState::initialise(&model, &[4], 0);
    let method = method("static").unwrap();
    let make = |options: NetworkOptions| {
        Network::new(&device, &model, &state, &options, method.as_ref()).unwrap()
    };
    let batch = Batch {
        inputs: vec![0.5; 16],
        targets: Targets::Labels(vec![0; 4]),
        count: 1,
        weights: Vec::new(),
        index: 0,
    };
    let other = make(NetworkOptions::evaluation(1));
    let error = other.input_gradients(&device, &batch, &[0.0; 8]);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("gradients at the input"), "{text}");
    let own = make(NetworkOptions {
        purpose: Purpose::InputGradients,
        ..NetworkOptions::of_batch(1)
    });
    let error = own.input_gradients(&device, &batch, &[0.0; 7]);
    let text = error.unwrap_err().to_string();
    assert!(text.contains("7 weights of outputs"), "{text}");
}
