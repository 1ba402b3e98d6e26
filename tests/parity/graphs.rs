//! Models of other shapes than the catalogue's: values that several layers take, sums of sums, sums of a value with
//! itself. Their gradients share memory in the ways that the graph allows; they must be the differences of a loss
//! computed in f64.

use std::sync::Arc;

use crate::host::{Activation, Host};
use crate::norms;
use crate::{Random, assert_close, devices, still};
use rootlet::data::{Batch, Targets};
use rootlet::engine::{Device, View};
use rootlet::loss::CrossEntropy;
use rootlet::model::{Builder, Extent, Model, Value};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::sparse::initialise;
use rootlet::topology::method;

const CLASSES: usize = 3;
const COUNT: usize = 3;
const SMOOTHING: f32 = 0.1;
const INPUT: Extent = Extent {
    channels: 3,
    height: 2,
    width: 3,
};
/// Channels of all values in between.
const CHANNELS: usize = 8;

/// Gradients of connections, biases, and norms.
fn gradients(device: &Device, network: &Network, batch: &Batch) -> [Vec<f32>; 4] {
    network.load(device, batch).unwrap();
    network.train(device, still(COUNT)).unwrap();
    let (arena, norms) = (network.arena(), network.parameters());
    let loss = network.train_results(device, 0..1).unwrap()[0].loss / COUNT as f32;
    let read = |buffer: &rootlet::engine::Buffer, n| device.download(&buffer.range(0..n)).unwrap();
    [
        vec![loss],
        read(arena.gradient(), arena.connections()),
        read(arena.bias_gradient(), arena.n_rows()),
        read(norms.gradient(), norms.words()),
    ]
}

/// Whether the model's numbers are clear of kinks; if so its gradients were compared.
fn check(devices: &[Device], model: &Model, seed: u64) -> bool {
    let mut random = Random(seed);
    let sparse = model.sparse();
    let counts: Vec<u64> = (sparse.iter())
        .map(|layer| (layer.shape.dense() * 2 / 5).clamp(1, 60))
        .collect();
    let mut state = NetworkState::initialise(model, &counts, seed as u32);
    for (layer, node) in state.layers.iter_mut().zip(&sparse) {
        *layer = initialise(
            node.shape,
            layer.active() as u64,
            seed as u32,
            node.node as u32,
        );
        layer.bias.fill(0.0);
        if node.bias {
            layer.bias = random.reals(node.shape.n_out, 0.5);
        }
    }
    for norm in &mut state.parameters {
        let channels = norm.values("weight").len();
        let weight = random
            .reals(channels, 0.5)
            .iter()
            .map(|w| 1.0 + w)
            .collect();
        norms::set(norm, "weight", weight);
        norms::set(norm, "bias", random.reals(channels, 0.5));
    }
    let lanes = COUNT.next_multiple_of(4);
    let batch = Batch {
        inputs: random.reals(model.input().size() * lanes, 2.0),
        targets: Targets::Labels((0..lanes).map(|_| random.below(CLASSES) as u32).collect()),
        count: COUNT,
        weights: Vec::new(),
        index: 0,
    };
    let lane = |i: usize| {
        batch.inputs[i..]
            .iter()
            .step_by(lanes)
            .map(|&x| f64::from(x))
    };
    let inputs: Activation = (0..COUNT).map(|i| lane(i).collect()).collect();
    let host = Host::new(model, &state);
    let (loss, nearest) = host.loss(&inputs, batch.labels(), f64::from(SMOOTHING));
    if nearest < 1e-4 {
        return false;
    }
    let of = |host: &Host| host.loss(&inputs, batch.labels(), f64::from(SMOOTHING)).0;
    let values = host.differences(|h| &mut h.values, of);
    let norm_weight = host.differences(|h| &mut h.norm_weight, of);
    let norm_bias = host.differences(|h| &mut h.norm_bias, of);
    // Biases that are not trained have no gradient.
    let mut bias = host.differences(|h| &mut h.bias, of);
    let mut row = 0;
    for layer in &sparse {
        let rows = row..row + layer.shape.n_out;
        row = rows.end;
        if !layer.bias {
            bias[rows].fill(0.0);
        }
    }
    for device in devices {
        let options = NetworkOptions {
            loss: Arc::new(CrossEntropy::new(f64::from(SMOOTHING)).unwrap()),
            ..NetworkOptions::of_batch(COUNT)
        };
        let run = |options: NetworkOptions| {
            let method = method("static").unwrap();
            let network = Network::new(device, model, &state, &options, method.as_ref()).unwrap();
            let of = |name: &str| {
                let layers = 0..network.parameters().spans().len();
                let views =
                    layers.map(|l| network.parameters().layer(l).unwrap().gradient_of(name));
                let read = |view: View| device.download::<f32>(&view).unwrap();
                views
                    .flat_map(|view| read(view.unwrap()))
                    .collect::<Vec<f32>>()
            };
            let gradients = gradients(device, &network, &batch);
            (gradients, of("weight"), of("bias"))
        };
        let (found, scales, shifts) = run(options.clone());
        let close = |what: &str, found: &[f32], expected: &[f32]| {
            let at = format!("{}, {}: {what}", model.name(), device.name());
            assert_close(&at, found, expected, 2e-4);
        };
        close("loss", &found[0], &[loss as f32]);
        close("connections", &found[1], &values);
        close("biases", &found[2], &bias);
        close("scales", &scales, &norm_weight);
        close("shifts", &shifts, &norm_bias);
        for (keep, recompute) in [(true, false), (false, true)] {
            let (other, ..) = run(NetworkOptions {
                keep,
                recompute,
                ..options.clone()
            });
            let at = format!("{}, {}", model.name(), device.name());
            assert!(other == found, "{at}: keep {keep}, recompute {recompute}");
        }
    }
    true
}

/// The logits at the end of a graph.
fn finish(mut net: Builder, x: Value, flat: bool) -> Model {
    let x = match flat {
        true => net.flatten(x),
        false => net.mean(x),
    };
    let logits = net.linear("classifier", x, CLASSES);
    net.finish(logits).unwrap()
}

/// A graph's name, and how it continues from the stem.
type Graph = (&'static str, fn(&mut Builder, Value) -> Value);

/// Sums whose operands other layers take too.
const SUMS: [Graph; 9] = [
    ("a value and what was made of it", |net, x| {
        let y = net.linear("y", x, CHANNELS);
        net.add(x, y).unwrap()
    }),
    ("the same, the later one first", |net, x| {
        let y = net.gelu(x);
        net.add(y, x).unwrap()
    }),
    ("operands taken before the sum", |net, x| {
        let (a, b) = (net.linear("a", x, CHANNELS), net.linear("b", x, CHANNELS));
        let (c, d) = (net.gelu(a), net.layer_norm("d", b));
        let sum = net.add(a, b).unwrap();
        let more = net.add(c, d).unwrap();
        net.add(sum, more).unwrap()
    }),
    ("operands taken behind the sum", |net, x| {
        let (a, b) = (net.linear("a", x, CHANNELS), net.linear("b", x, CHANNELS));
        let sum = net.add(a, b).unwrap();
        let (c, d) = (net.gelu(a), net.linear_relu("d", b, CHANNELS));
        let more = net.add(c, d).unwrap();
        net.add(sum, more).unwrap()
    }),
    ("a sum of a sum, whose other operand goes on", |net, x| {
        let (a, b) = (net.linear("a", x, CHANNELS), net.linear("b", x, CHANNELS));
        let z = net.linear("z", x, CHANNELS);
        let c = net.gelu(z);
        let sum = net.add(a, b).unwrap();
        let sum = net.add(sum, z).unwrap();
        let c = net.linear("c", c, CHANNELS);
        net.add(sum, c).unwrap()
    }),
    (
        "a sum with positions, whose other operand goes on",
        |net, x| {
            let (a, z) = (net.linear("a", x, CHANNELS), net.linear("z", x, CHANNELS));
            let c = net.gelu(z);
            let positions = net.positions(a).unwrap();
            let sum = net.add(positions, z).unwrap();
            let c = net.linear("c", c, CHANNELS);
            net.add(sum, c).unwrap()
        },
    ),
    ("a residual that is the norm's own input", |net, x| {
        let y = net.batch_norm_add_relu("y", x, x).unwrap();
        let z = net.batch_norm_add_relu("z", y, x).unwrap();
        net.add(y, z).unwrap()
    }),
    ("a value and itself", |net, x| net.add(x, x).unwrap()),
    ("a value and itself, taken before and behind", |net, x| {
        let y = net.gelu(x);
        let twice = net.add(x, x).unwrap();
        let z = net.add(twice, x).unwrap();
        net.add(z, y).unwrap()
    }),
];

#[test]
fn sums_share_gradients() {
    let devices = devices();
    for (name, graph) in SUMS {
        for flat in [false, true] {
            let mut net = Builder::new(name, INPUT);
            let x = net.input();
            let x = net.conv("stem", x, CHANNELS, 3, 1, 1).unwrap();
            let x = graph(&mut net, x);
            let model = finish(net, x, flat);
            let seeds = 0..20;
            assert!(
                seeds.into_iter().any(|seed| check(&devices, &model, seed)),
                "{name}: no seed is clear of the kinks"
            );
        }
    }
}

/// A graph of `layers` layers, each after randomly chosen values; values that nothing takes are added up at the end.
pub fn drawn(name: &str, layers: usize, random: &mut Random) -> Model {
    let mut net = Builder::new(name, INPUT);
    let input = net.input();
    let mut values = vec![
        net.conv("stem", input, CHANNELS, 3, 1, 1).unwrap(),
        net.linear("side", input, CHANNELS),
    ];
    let mut taken = vec![false; 2];
    for l in 0..layers {
        let kind = random.below(16);
        let mut take = || {
            let i = random.below(values.len());
            taken[i] = true;
            values[i]
        };
        let a = take();
        let b = if kind == 7 || kind > 12 { take() } else { a };
        let name = format!("layer{l}");
        let value = match kind {
            0 => net.linear(&name, a, CHANNELS),
            1 => net.linear_without_bias(&name, a, CHANNELS),
            2 => net.linear_relu(&name, a, CHANNELS),
            3 => net.conv(&name, a, CHANNELS, 3, 1, 1).unwrap(),
            4 => net.gelu(a),
            5 => net.relu(a),
            6 => net.batch_norm_relu(&name, a),
            7 => net.batch_norm_add_relu(&name, a, b).unwrap(),
            8 => net.layer_norm(&name, a),
            9 => net.max_pool(a, 3, 1, 1).unwrap(),
            10 => net.average_pool(a, 3, 1, 1).unwrap(),
            11 => net.positions(a).unwrap(),
            12 => {
                let qkv = net.linear_without_bias(&name, a, 3 * CHANNELS);
                net.attention(qkv, 2, CHANNELS / 2).unwrap()
            }
            _ => net.add(a, b).unwrap(),
        };
        values.push(value);
        taken.push(false);
    }
    let mut free: Vec<Value> = (values.iter().zip(taken))
        .filter(|(_, taken)| !taken)
        .map(|(value, _)| *value)
        .collect();
    let mut x = free.remove(random.below(free.len()));
    while !free.is_empty() {
        let next = free.remove(random.below(free.len()));
        x = net.add(x, next).unwrap();
    }
    finish(net, x, random.below(2) == 0)
}

#[test]
fn drawn_graphs_have_the_gradients_of_the_loss() {
    let devices = devices();
    let mut random = Random(2026);
    let mut checked = 0;
    for number in 0..30 {
        let model = drawn(&format!("graph {number}"), 4 + number / 3, &mut random);
        checked += usize::from(check(&devices, &model, number as u64));
    }
    println!("{checked} graphs were clear of kinks");
    assert!(checked >= 15, "{checked} graphs");
}
