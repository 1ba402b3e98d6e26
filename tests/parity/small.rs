//! One forward and backward pass against PyTorch: logits, loss, every gradient.

use std::sync::Arc;

use crate::fixture::{Fixture, in_lanes, members};
use crate::{Random, assert_close, dense_gradient, devices, network, still};
use rootlet::engine::{Class, Plan, View};
use rootlet::layer::SparsePass;
use rootlet::loss::CrossEntropy;
use rootlet::network::{Network, NetworkOptions};
use rootlet::sparse::{Shape, Window};

const SIZES: [usize; 4] = [20, 24, 16, 10];
const COUNT: usize = 13;
const LANES: usize = 16;
const TOLERANCE: f64 = 1e-4;

fn options() -> NetworkOptions {
    NetworkOptions {
        loss: Arc::new(CrossEntropy::new(0.1).unwrap()),
        keep: true,
        ..NetworkOptions::of_batch(COUNT)
    }
}

/// What layer `l` keeps.
fn kept(network: &Network, l: usize, what: &str) -> View {
    network.retained(&format!("linear{l}.{what}")).unwrap()
}

#[test]
fn one_pass_agrees_with_pytorch() {
    let fixture = Fixture::open("small.safetensors");
    let layers = fixture.layers(&SIZES);
    let close = |what: &str, found: &[f32], expected: &[f32]| {
        assert_close(what, found, expected, TOLERANCE);
    };
    for device in devices() {
        let at = |what: &str| format!("{}: {what}", device.name());
        let network = network(&device, &SIZES, &layers, &options());
        let batch = fixture.batch("", LANES);
        network.load(&device, &batch).unwrap();
        network.train(&device, still(COUNT)).unwrap();
        let read = |view: &View| -> Vec<f32> { device.download(view).unwrap() };

        let result = network.train_results(&device, 0..1).unwrap()[0];
        let loss = result.loss / COUNT as f32;
        close(&at("loss"), &[loss], &fixture.reals("loss"));
        let logits = fixture.reals("logits");
        let found = members(&read(&network.logits()), COUNT, LANES);
        close(&at("logits"), &found, &logits);
        let correct = (logits.chunks(10).zip(batch.labels()))
            .filter(|(row, label)| {
                let best = (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap();
                best == **label as usize
            })
            .count();
        assert_eq!(result.score, correct as f32);

        for l in 0..2 {
            // The network keeps the value after the ReLU.
            let mut output = fixture.reals(&format!("layers.{l}.output"));
            output.iter_mut().for_each(|v| *v = v.max(0.0));
            let found = members(&read(&kept(&network, l, "output")), COUNT, LANES);
            close(&at(&format!("output {l}")), &found, &output);
        }
        for l in 0..3 {
            let expected = fixture.reals(&format!("layers.{l}.output_gradient"));
            // Including the padding lanes, which must be zero.
            let expected = in_lanes(&expected, COUNT, LANES);
            close(
                &at(&format!("delta {l}")),
                &read(&kept(&network, l, "delta")),
                &expected,
            );
        }
        let arena = network.arena();
        let gradient = read(&arena.gradient().range(0..arena.connections()));
        let expected = fixture.of_layers("", 3, "values_gradient");
        close(&at("gradient"), &gradient, &expected);
        let gradient = read(&arena.bias_gradient().range(0..arena.n_rows()));
        let expected = fixture.of_layers("", 3, "bias_gradient");
        close(&at("bias gradient"), &gradient, &expected);
        for (layer, before) in arena.export(&device).unwrap().iter().zip(&layers) {
            assert_eq!((&layer.values, &layer.bias), (&before.values, &before.bias));
        }

        // The loss's gradient at the input, which training does not need.
        let gradient = device.buffer("x", Class::Scratch, 20 * LANES).unwrap();
        let first = SparsePass {
            span: arena.spans()[0],
            window: Window::pointwise([1, 1]),
            lanes: LANES,
            bias: true,
            relu: true,
        };
        let mut plan = Plan::new("input gradient");
        let delta = kept(&network, 0, "delta");
        first
            .backward(&mut plan, arena, delta, None, gradient.all(), false)
            .unwrap();
        device.run(&device.prepare(&plan).unwrap()).unwrap();
        let expected = in_lanes(&fixture.reals("x_gradient"), COUNT, LANES);
        close(&at("input gradient"), &read(&gradient.all()), &expected);

        // The gradient of every pair, active or not, from which a round samples.
        for (l, &span) in arena.spans().iter().enumerate() {
            let shape = Shape {
                n_in: span.n_in,
                n_out: span.n_out,
            };
            let input = match l {
                0 => network.input(),
                _ => kept(&network, l - 1, "output"),
            };
            let window = Window::pointwise([1, 1]);
            let delta = kept(&network, l, "delta");
            let found = dense_gradient(&device, shape, window, LANES, input, delta);
            let expected = fixture.reals(&format!("layers.{l}.dense_gradient"));
            close(&at(&format!("dense gradient {l}")), &found, &expected);
        }
    }
}

/// The contents of the padding lanes affect nothing: not the loss, not the score, not a gradient.
#[test]
fn padding_lanes_may_hold_noise() {
    let fixture = Fixture::open("small.safetensors");
    let layers = fixture.layers(&SIZES);
    let mut random = Random(5);
    for device in devices() {
        for count in [1, 3, 4, COUNT] {
            let run = |noise: Option<&mut Random>| {
                let network = network(&device, &SIZES, &layers, &options());
                let mut batch = fixture.batch("", LANES);
                batch.count = count;
                let clear = vec![0.0; 20 * LANES];
                let noise = noise.map_or(clear, |random| {
                    let mut labels = batch.labels().to_vec();
                    labels[count..].fill_with(|| random.below(10) as u32);
                    batch.targets = labels.into();
                    random.reals(20 * LANES, 1e3)
                });
                for (i, input) in batch.inputs.iter_mut().enumerate() {
                    if i % LANES >= count {
                        *input = noise[i];
                    }
                }
                network.load(&device, &batch).unwrap();
                network.train(&device, still(count)).unwrap();
                let read = |view: &View| -> Vec<f32> { device.download(view).unwrap() };
                let result = network.train_results(&device, 0..1).unwrap()[0];
                let deltas: Vec<_> = (0..3).map(|l| read(&kept(&network, l, "delta"))).collect();
                let gradient = read(&network.arena().gradient().all());
                let bias = read(&network.arena().bias_gradient().all());
                network.test(&device, still(count)).unwrap();
                let test = network.test_results(&device, 0..1).unwrap()[0];
                (result, test, deltas, gradient, bias)
            };
            let (clean, noisy) = (run(None), run(Some(&mut random)));
            assert!(clean == noisy, "{}, {count} members", device.name());
            assert!(clean.0.loss > 0.0 && clean.3.iter().any(|g| *g != 0.0));
        }
    }
}
