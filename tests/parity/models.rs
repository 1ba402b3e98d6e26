//! A pass of whole models against PyTorch, with all gradients; in parts, with recomputed activations, and with and
//! without shared memory.

use std::sync::Arc;

use crate::fixture::{Fixture, in_lanes, members};
use crate::{Random, assert_close, assert_rows_close, dense_gradient, devices, still};
use rootlet::data::Batch;
use rootlet::engine::{Class, Device, Plan, View};
use rootlet::layer::{LayerNormBackwardViews, LayerNormPass, PatchifyPass, SparsePass};
use rootlet::loss::CrossEntropy;
use rootlet::model::{Extent, Model, VitOptions, cifar_resnet, simple_vit};
use rootlet::network::{BatchResult, Network, NetworkOptions, NetworkState};
use rootlet::optim::Sgd;
use rootlet::topology::method;

const TOLERANCE: f64 = 1e-4;
pub const CLASSES: usize = 10;
/// Images of the single pass.
const COUNT: usize = 13;
/// Images of a batch of the training; the last has 11.
pub const BATCH: usize = 16;

/// A fixture and its model.
pub struct Case {
    pub fixture: Fixture,
    pub model: Model,
    pub state: NetworkState,
    pub rate: f32,
    /// Layers whose dense gradient is stored.
    dense: &'static [usize],
}

impl Case {
    fn new(name: &str, model: Model, rate: f32, dense: &'static [usize]) -> Self {
        let fixture = Fixture::open(&format!("{name}.safetensors"));
        Case {
            state: fixture.state(&model),
            fixture,
            model,
            rate,
            dense,
        }
    }

    pub fn resnet() -> Self {
        let input = Extent {
            channels: 3,
            height: 12,
            width: 12,
        };
        let model = cifar_resnet("resnet8", input, 1, 0.5, CLASSES).unwrap();
        Case::new("resnet8", model, 0.05, &[0, 3, 7])
    }

    pub fn vit() -> Self {
        let input = Extent {
            channels: 3,
            height: 16,
            width: 16,
        };
        let options = VitOptions {
            patch: 4,
            dim: 24,
            depth: 2,
            heads: 2,
            head_dim: 8,
            mlp: 32,
        };
        let model = simple_vit("vit2", input, options, CLASSES).unwrap();
        Case::new("vit2", model, 0.02, &[1, 8])
    }

    pub fn options(&self, batch: usize) -> NetworkOptions {
        NetworkOptions {
            loss: Arc::new(CrossEntropy::new(0.1).unwrap()),
            optimiser: Arc::new(Sgd::new(0.9, 1e-4, false).unwrap()),
            ..NetworkOptions::of_batch(batch)
        }
    }

    pub fn network(&self, device: &Device, options: &NetworkOptions) -> Network {
        let method = method("static").unwrap();
        Network::new(device, &self.model, &self.state, options, method.as_ref()).unwrap()
    }

    /// What `network` keeps for a node.
    fn kept(&self, network: &Network, node: usize, what: &str) -> View {
        let name = match self.model.nodes()[node].name() {
            "" => format!("node{node}"),
            name => name.to_owned(),
        };
        (network.retained(&format!("{name}.{what}"))).unwrap_or_else(|| panic!("no {name}.{what}"))
    }

    fn value(&self, network: &Network, node: usize) -> View {
        match node {
            0 => network.input(),
            _ => self.kept(network, node, "output"),
        }
    }

    /// Index of the first node of a kind.
    fn first(&self, kind: &str) -> usize {
        let mut nodes = self.model.nodes().iter();
        nodes.position(|n| n.layer().kind() == kind).unwrap()
    }
}

/// Everything that a pass produces.
#[derive(PartialEq)]
struct Pass {
    result: BatchResult,
    logits: Vec<f32>,
    gradient: Vec<f32>,
    bias_gradient: Vec<f32>,
    norm_gradient: Vec<f32>,
    state: NetworkState,
}

fn pass(device: &Device, network: &Network, parts: &[Batch]) -> Pass {
    let count = parts.iter().map(|p| p.count).sum();
    network.train_parts(device, parts, still(count)).unwrap();
    let read = |view: View| -> Vec<f32> { device.download(&view).unwrap() };
    let (arena, norms) = (network.arena(), network.parameters());
    let last = parts.last().unwrap().count;
    Pass {
        result: network.train_results(device, 0..1).unwrap()[0],
        logits: members(&read(network.logits()), last, network.lanes()),
        gradient: read(arena.gradient().range(0..arena.connections())),
        bias_gradient: read(arena.bias_gradient().range(0..arena.n_rows())),
        norm_gradient: read(norms.gradient().all()),
        state: network.export(device).unwrap(),
    }
}

/// One pass with every gradient, on batches whose padding lanes hold noise.
fn one_pass(case: &Case, x_gradient: impl Fn(&Device, &Network) -> Vec<f32>) {
    let fixture = &case.fixture;
    let lanes = COUNT.next_multiple_of(4);
    let clean = fixture.batch("", lanes);
    let mut random = Random(7);
    let mut noisy = clean.clone();
    let mut labels = noisy.labels().to_vec();
    labels[COUNT..].fill_with(|| random.below(CLASSES) as u32);
    noisy.targets = labels.into();
    for lane in noisy.inputs.chunks_mut(lanes) {
        lane[COUNT..].copy_from_slice(&random.reals(lanes - COUNT, 1e3));
    }
    for device in devices() {
        let close = |what: &str, found: &[f32], expected: &[f32]| {
            let at = format!("{}, {}: {what}", case.model.name(), device.name());
            assert_close(&at, found, expected, TOLERANCE);
        };
        let stored = |what: &str, found: &[f32]| close(what, found, &fixture.reals(what));
        let options = NetworkOptions {
            keep: true,
            ..case.options(COUNT)
        };
        let network = case.network(&device, &options);
        let found = pass(&device, &network, std::slice::from_ref(&noisy));
        stored("logits", &found.logits);
        stored("loss", &[found.result.loss / COUNT as f32]);
        let mut connections = 0;
        for (l, span) in network.arena().spans().iter().enumerate() {
            let state = &case.state.layers[l];
            let gradient = &found.gradient[connections..][..state.active()];
            connections += state.active();
            stored(&format!("layers.{l}.values_gradient"), gradient);
            let gradient = &found.bias_gradient[span.first_row..][..span.n_out];
            let name = format!("layers.{l}.bias_gradient");
            match fixture.has(&name) {
                true => stored(&name, gradient),
                false => assert!(gradient.iter().all(|g| *g == 0.0), "{name}"),
            }
        }
        for i in 0..network.parameters().spans().len() {
            let own = network.parameters().layer(i).unwrap();
            for name in ["weight", "bias"] {
                let first = own.first(name).unwrap();
                let words = own.gradient_of(name).unwrap().words();
                let gradient = &found.norm_gradient[first..][..words];
                stored(&format!("norms.{i}.{name}_gradient"), gradient);
            }
        }
        for &l in case.dense {
            let layer = &case.model.sparse()[l];
            let input = case.value(&network, case.model.nodes()[layer.node].inputs()[0]);
            let delta = case.kept(&network, layer.node, "delta");
            let (shape, window) = (layer.shape, layer.window);
            let gradient = dense_gradient(&device, shape, window, lanes, input, delta);
            let name = format!("layers.{l}.dense_gradient");
            // Row by row: after a batch norm, an empty row's gradient is far larger than the others.
            let at = format!("{}: {name}", device.name());
            let expected = fixture.reals(&name);
            assert_rows_close(&at, &gradient, &expected, shape.n_in, TOLERANCE);
        }
        let expected = in_lanes(&fixture.reals("x_gradient"), COUNT, lanes);
        close("x_gradient", &x_gradient(&device, &network), &expected);
        // The rate is zero.
        for (layer, before) in found.state.layers.iter().zip(&case.state.layers) {
            assert!((&layer.values, &layer.bias) == (&before.values, &before.bias));
        }

        // The same to the bit without the noise, with shared memory, and with recomputed values.
        for (keep, recompute) in [(true, false), (false, false), (false, true)] {
            let options = NetworkOptions {
                keep,
                recompute,
                ..options.clone()
            };
            let other = case.network(&device, &options);
            let other = pass(&device, &other, std::slice::from_ref(&clean));
            let at = format!("{}, keep {keep}, recompute {recompute}", device.name());
            assert!(other == found, "{at}");
        }
    }
}

/// The gradient at the input, which training does not need.
fn behind(
    device: &Device,
    words: usize,
    record: impl FnOnce(&mut Plan, View) -> rootlet::Result<()>,
) -> Vec<f32> {
    let buffer = device.buffer("x", Class::Scratch, words).unwrap();
    let mut plan = Plan::new("input gradient");
    record(&mut plan, buffer.all()).unwrap();
    device.run(&device.prepare(&plan).unwrap()).unwrap();
    device.download(&buffer.all()).unwrap()
}

#[test]
fn one_pass_of_a_resnet_agrees_with_pytorch() {
    let case = Case::resnet();
    one_pass(&case, |device, network| {
        let stem = &case.model.sparse()[0];
        let layer = SparsePass {
            span: network.arena().spans()[0],
            window: stem.window,
            lanes: network.lanes(),
            bias: false,
            relu: false,
        };
        let delta = case.kept(network, stem.node, "delta");
        behind(device, network.input().words(), |plan, x| {
            layer.backward(plan, network.arena(), delta, None, x, false)
        })
    });
}

#[test]
fn one_pass_of_a_vit_agrees_with_pytorch() {
    let case = Case::vit();
    one_pass(&case, |device, network| {
        let (patches, norm) = (case.first("patchify"), case.first("layer-norm"));
        let (image, tokens) = (case.model.input(), case.model.nodes()[patches].extent());
        let lanes = network.lanes();
        let layer = LayerNormPass {
            channels: tokens.channels,
            positions: tokens.positions(),
            lanes,
            fused: false,
        };
        let patchify = PatchifyPass::new(image.channels, image.plane(), 4, lanes).unwrap();
        let words = network.input().words();
        let between = device.buffer("patches", Class::Scratch, words).unwrap();
        behind(device, words, |plan, x| {
            let views = LayerNormBackwardViews {
                input: case.value(network, patches),
                delta: case.kept(network, norm, "delta"),
                saved: case.kept(network, norm, "saved"),
                output: Some((between.all(), false)),
            };
            layer.backward(plan, &network.parameters().layer(0)?, views, false)?;
            patchify.backward(plan, between.all(), x)
        })
    });
}

/// In parts of 8; the second part of the last batch has 3 images.
pub fn in_parts(case: &Case) -> NetworkOptions {
    NetworkOptions {
        micro_batch: Some(8),
        ..case.options(BATCH)
    }
}

/// A batch norm sees one part at a time: the parts' gradients are those of separate batches. Running statistics advance
/// once, by the statistics of the parts together.
#[test]
fn parts_of_a_resnet_add_up() {
    let case = Case::resnet();
    for device in devices() {
        let options = in_parts(&case);
        let parts = case.fixture.parts("batches.5.", 8, 8);
        let counts: Vec<usize> = parts.iter().map(|p| p.count).collect();
        assert_eq!(counts, [8, 3]);
        let found = pass(&device, &case.network(&device, &options), &parts);

        let alone = case.network(&device, &case.options(8));
        let begun = alone.export(&device).unwrap();
        let passes: Vec<Pass> = (parts.iter())
            .map(|part| pass(&device, &alone, std::slice::from_ref(part)))
            .collect();
        let sum = |of: fn(&Pass) -> &Vec<f32>| -> Vec<f32> {
            let share = |i: usize| counts[i] as f32 / 11.0;
            let pairs = of(&passes[0]).iter().zip(of(&passes[1]));
            pairs.map(|(a, b)| a * share(0) + b * share(1)).collect()
        };
        let close = |what: &str, of: fn(&Pass) -> &Vec<f32>| {
            let at = format!("{}: {what}", device.name());
            assert_close(&at, of(&found), &sum(of), TOLERANCE);
        };
        close("connections", |p| &p.gradient);
        close("biases", |p| &p.bias_gradient);
        close("norms", |p| &p.norm_gradient);
        let losses: f32 = passes.iter().map(|p| p.result.loss).sum();
        assert_close("loss", &[found.result.loss], &[losses], TOLERANCE);
        let score: f32 = passes.iter().map(|p| p.result.score).sum();
        assert_eq!(found.result.score, score);
        // What a batch's mean was, from the running means before and after it.
        let mean = |before: &[f32], after: &[f32]| -> Vec<f32> {
            let pairs = before.iter().zip(after);
            pairs.map(|(b, a)| (a - 0.9 * b) / 0.1).collect()
        };
        for (n, norm) in found.state.parameters.iter().enumerate() {
            let states = [&begun, &passes[0].state, &passes[1].state];
            let [before, first, second] = states.map(|s| s.parameters[n].values("running_mean"));
            let parts = mean(before, first).into_iter().zip(mean(first, second));
            let expected: Vec<f32> = (parts.zip(before))
                .map(|((a, b), r)| 0.9 * r + 0.1 * (8.0 * a + 3.0 * b) / 11.0)
                .collect();
            assert_close(
                "running means",
                norm.values("running_mean"),
                &expected,
                1e-4,
            );
        }
        // The first norm's input is the same in parts and at once.
        let whole = case.fixture.parts("batches.5.", 12, 12);
        assert_eq!(whole.len(), 1);
        let at_once = pass(&device, &case.network(&device, &case.options(12)), &whole);
        for name in ["running_mean", "running_variance"] {
            let [found, at_once] = [&found, &at_once].map(|p| p.state.parameters[0].values(name));
            assert_close(name, found, at_once, TOLERANCE);
        }

        // Each part's values are recomputed from its own.
        for (keep, recompute) in [(true, false), (false, true)] {
            let options = NetworkOptions {
                keep,
                recompute,
                ..options.clone()
            };
            let other = pass(&device, &case.network(&device, &options), &parts);
            assert!(other == found, "{}, {options:?}", device.name());
        }
    }
}
