//! Methods that begin with a dense network, against plain arithmetic in double precision: the digits' first batch, one
//! hidden layer.

use std::collections::BTreeSet;

use crate::{bits, cpu, digits, gpu, run, train};
use rootlet::checkpoint::{LayerState, Snapshot};
use rootlet::data::{Loader, LoaderOptions, Order};
use rootlet::engine::Class;
use rootlet::network::NetworkState;
use rootlet::topology::MethodName;
use rootlet::topology::Scope;
use rootlet::train::{TrainConfig, Trainer};

const BATCH: usize = 30;

const SIZES: [usize; 3] = [64, 20, 10];

pub(crate) fn config(method: MethodName) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.topology.method = method;
    config.model.hidden = vec![SIZES[1]];
    config.model.sparsity = 0.8;
    config.run.epochs = 4;
    config.run.batch = BATCH;
    config.topology.round_every = 7;
    config.topology.round_until = Some(3.0);
    config.topology.scope = Scope::Global;
    config
}

/// Layers of weights `[out][in]` without biases.
type Net = [Vec<f64>; 2];

/// The dense network that the configuration draws.
pub(crate) fn drawn(config: &TrainConfig) -> NetworkState {
    let data = digits(None);
    let model = config.build_model(data.shape, data.classes).unwrap();
    let counts: Vec<u64> = model.shapes().iter().map(|s| s.dense()).collect();
    NetworkState::initialise(&model, &counts, config.run.seed)
}

pub(crate) fn weights(state: &NetworkState) -> Net {
    [0, 1].map(|l| (state.layers[l].values.iter().map(|&v| f64::from(v))).collect())
}

/// Images of the first batch, with their classes.
pub(crate) fn batch(config: &TrainConfig) -> Vec<(Vec<f64>, usize)> {
    let data = digits(None);
    let options = LoaderOptions {
        order: Order::Shuffled {
            seed: config.run.seed,
            epoch: 0,
        },
        lanes: 32,
        ..LoaderOptions::of_batch(BATCH)
    };
    let mut loader = Loader::start(data.train, data.shape, &data.normalisation, options).unwrap();
    let batch = loader.next().unwrap().unwrap();
    (0..batch.count)
        .map(|i| {
            let pixels = (0..64).map(|p| f64::from(batch.inputs[p * 32 + i]));
            (pixels.collect(), batch.labels()[i] as usize)
        })
        .collect()
}

fn product(w: &[f64], x: &[f64]) -> Vec<f64> {
    let row = |row: &[f64]| row.iter().zip(x).map(|(w, x)| w * x).sum();
    w.chunks(x.len()).map(row).collect()
}

/// Gradients of the mean cross-entropy.
pub(crate) fn gradients(net: &Net, biases: &[Vec<f64>; 2], images: &[(Vec<f64>, usize)]) -> Net {
    let mut sums = [vec![0.0; net[0].len()], vec![0.0; net[1].len()]];
    for (x, class) in images {
        let mut h = product(&net[0], x);
        h.iter_mut()
            .zip(&biases[0])
            .for_each(|(h, b)| *h = (*h + b).max(0.0));
        let mut z = product(&net[1], &h);
        z.iter_mut().zip(&biases[1]).for_each(|(z, b)| *z += b);
        let total: f64 = z.iter().map(|z| z.exp()).sum();
        let delta: Vec<f64> = (z.iter().enumerate())
            .map(|(c, z)| {
                (z.exp() / total - f64::from(u8::from(c == *class))) / images.len() as f64
            })
            .collect();
        let back = |j: usize| -> f64 {
            let sum: f64 = (0..10).map(|c| net[1][c * 20 + j] * delta[c]).sum();
            if h[j] > 0.0 { sum } else { 0.0 }
        };
        for c in 0..10 {
            (0..20).for_each(|j| sums[1][c * 20 + j] += delta[c] * h[j]);
        }
        for j in 0..20 {
            let delta = back(j);
            (0..64).for_each(|i| sums[0][j * 64 + i] += delta * x[i]);
        }
    }
    sums
}

/// The `count` largest, as places in the concatenated layers.
fn best(scores: &Net, count: usize) -> BTreeSet<usize> {
    let flat = scores.concat();
    let mut order: Vec<usize> = (0..flat.len()).collect();
    order.sort_by(|&a, &b| flat[b].total_cmp(&flat[a]));
    order.into_iter().take(count).collect()
}

/// A sparse network's connections as places among all pairs.
pub(crate) fn places(layers: &[LayerState]) -> BTreeSet<usize> {
    let place = |l: usize, (b, a): (u32, u32)| l * 1280 + b as usize * SIZES[l] + a as usize;
    (layers.iter().enumerate())
        .flat_map(|(l, layer)| layer.pairs().map(move |pair| place(l, pair)))
        .collect()
}

/// What a method chose, after a single step.
pub(crate) fn chosen(config: &TrainConfig, device: fn() -> rootlet::engine::Device) -> Snapshot {
    let mut config = config.clone();
    config.run.steps = Some(1);
    let (log, snapshot) = train(device(), &config, &digits(None));
    assert!(
        log.notes
            .iter()
            .any(|n| n.contains(" chose 296 of the 1480 ")),
        "{:?}",
        log.notes
    );
    snapshot
}

/// The share of the oracle's best connections that was chosen.
fn agreement(config: &TrainConfig, device: fn() -> rootlet::engine::Device, scores: &Net) -> f64 {
    let found = places(&chosen(config, device).state.layers);
    assert_eq!(found.len(), 296);
    let common = best(scores, 296).intersection(&found).count();
    common as f64 / 296.0
}

pub(crate) fn biases(state: &NetworkState) -> [Vec<f64>; 2] {
    [0, 1].map(|l| state.layers[l].bias.iter().map(|&b| f64::from(b)).collect())
}

fn map2(a: &Net, b: &Net, f: impl Fn(f64, f64) -> f64) -> Net {
    [0, 1].map(|l| a[l].iter().zip(&b[l]).map(|(&a, &b)| f(a, b)).collect())
}

#[test]
fn snip_keeps_what_the_loss_is_most_sensitive_to() {
    let config = config(MethodName::Snip);
    let state = drawn(&config);
    let (net, biases) = (weights(&state), biases(&state));
    let scores = map2(&net, &gradients(&net, &biases, &batch(&config)), |w, g| {
        (w * g).abs()
    });
    // In parts, the gradients of all parts are added up.
    for micro_batch in [None, Some(10)] {
        let mut config = config.clone();
        config.machine.micro_batch = micro_batch;
        for device in [cpu, gpu] {
            assert!(agreement(&config, device, &scores) > 0.99);
        }
    }
}

#[test]
fn grasp_keeps_what_preserves_the_gradient_flow() {
    let config = config(MethodName::Grasp);
    let state = drawn(&config);
    let (net, biases) = (weights(&state), biases(&state));
    let images = batch(&config);
    let g = gradients(&net, &biases, &images);
    // A step so short that no ReLU switches; double precision allows it.
    let at = |step: f64| gradients(&map2(&net, &g, |w, g| w + step * g), &biases, &images);
    let curvature = map2(&at(1e-6), &at(-1e-6), |a, b| a - b);
    let scores = map2(&net, &curvature, |w, h| w * h);
    for device in [cpu, gpu] {
        // A finite step may move a ReLU over its edge: the choice is the same except for a few near the threshold.
        let agreement = agreement(&config, device, &scores);
        assert!(agreement > 0.95, "{agreement}");
    }
}

#[test]
fn synflow_conserves_the_flow() {
    let config = config(MethodName::Synflow);
    let mut net = weights(&drawn(&config)).map(|l| l.into_iter().map(f64::abs).collect::<Vec<_>>());
    let mut scores = net.clone();
    for iteration in 1..=100 {
        let rows = product(&net[0], &[1.0; 64]);
        let cols: Vec<f64> = (0..20)
            .map(|j| (0..10).map(|c| net[1][c * 20 + j]).sum())
            .collect();
        for j in 0..20 {
            (0..64).for_each(|i| scores[0][j * 64 + i] = net[0][j * 64 + i] * cols[j]);
            (0..10).for_each(|c| scores[1][c * 20 + j] = net[1][c * 20 + j] * rows[j]);
        }
        let part = f64::from(iteration) / 100.0;
        let left = (1480f64.powf(1.0 - part) * 296f64.powf(part)).round() as usize;
        let kept = best(&scores, left);
        for l in 0..2 {
            for i in 0..net[l].len() {
                if !kept.contains(&(l * 1280 + i)) {
                    net[l][i] = 0.0;
                    scores[l][i] = 0.0;
                }
            }
        }
    }
    for device in [cpu, gpu] {
        assert!(agreement(&config, device, &scores) > 0.99);
    }
}

#[test]
fn gradual_pruning_ends_at_the_wanted_sparsity_and_frees_the_rest() {
    for (scope, device) in [(Scope::Global, cpu as fn() -> _), (Scope::Layer, gpu)] {
        let mut config = config(MethodName::Gradual);
        config.topology.scope = scope;
        let data = digits(Some(300));
        let mut trainer = Trainer::new(device(), config.clone(), data).unwrap();
        let dense_bytes = trainer.device().ledger().current(Class::DenseWeights);
        // Weights, momentum and gradient: lists of all the connections would be 16 bytes more each. In addition, four
        // words per output unit and one per input unit.
        let most = 1480 * 12 + 30 * 16 + 84 * 4 + 256;
        assert!((1480 * 12..most).contains(&dense_bytes), "{dense_bytes}");
        let (log, result) = run(&mut trainer);
        result.unwrap();
        // 10 steps per epoch: prunings after 7, 14, 21 and 28 steps; at T_end = 30 nothing is left to prune.
        let steps: Vec<u64> = log.rounds.iter().map(|r| r.step).collect();
        assert_eq!(steps, [7, 14, 21, 28]);
        for round in &log.rounds {
            let active: u64 = round.layers.iter().map(|l| l.active).sum();
            let rest = (1.0 - round.step as f64 / 30.0).powi(3);
            let requested = 296.0 + 1184.0 * rest;
            assert!(
                (active as f64 - requested).abs() <= 1.0,
                "{active} and {requested}"
            );
        }
        assert_eq!(trainer.network().arena().connections(), 296);
        let ledger = trainer.device().ledger();
        assert_eq!(ledger.current(Class::DenseWeights), 0);
        assert_eq!(ledger.peak(Class::DenseWeights), dense_bytes);
        assert!(log.epochs[3].test_accuracy > 0.5, "{:?}", log.epochs);
    }
}

#[test]
fn a_ticket_is_the_first_draw_of_the_largest_weights() {
    let mut config = config(MethodName::Lottery);
    config.topology.lottery_cycles = 1;
    config.run.epochs = 2;
    let data = digits(Some(300));
    // The last step of the first stage, and the first of the second with a learning rate of nearly zero.
    let stopped = |steps: u64, lr: f64| {
        let mut config = config.clone();
        config.run.steps = Some(steps);
        config.optimiser.lr = Some(lr);
        train(cpu(), &config, &data).1
    };
    let before = stopped(20, 0.1);
    let magnitudes = [0, 1].map(|l| {
        let values = &before.state.layers[l].values;
        values
            .iter()
            .map(|v| f64::from(v.abs()))
            .collect::<Vec<f64>>()
    });
    let (log, whole) = train(cpu(), &config, &data);
    assert_eq!(log.epochs.len(), 4, "two stages of two epochs");
    assert_eq!(places(&whole.state.layers), best(&magnitudes, 296));
    let drawn = drawn(&config);
    let ticket = stopped(21, 1e-30);
    for (ticket, drawn) in ticket.state.layers.iter().zip(&drawn.layers) {
        let mut pairs = ticket.pairs().zip(&ticket.values);
        assert!(pairs.all(|((b, a), v)| *v == drawn.values[b as usize * drawn.n_in + a as usize]));
        assert_eq!(ticket.bias, drawn.bias);
    }
}

#[test]
fn a_run_stopped_around_a_pruning_ends_with_the_same_bits() {
    let data = digits(Some(300));
    for (method, stops) in [
        (MethodName::Gradual, [7, 8, 30]),
        (MethodName::Lottery, [39, 40, 41]),
        (MethodName::Snip, [1, 2, 3]),
        (MethodName::Topkast, [13, 14, 15]),
    ] {
        let mut config = config(method);
        config.topology.lottery_cycles = 1;
        let (_, unbroken) = train(cpu(), &config, &data);
        for stop in stops {
            let mut part = config.clone();
            part.run.steps = Some(stop);
            let (_, half) = train(cpu(), &part, &data);
            let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
            trainer.restore(half).unwrap();
            run(&mut trainer).1.unwrap();
            assert!(
                bits(&trainer.snapshot().unwrap()) == bits(&unbroken),
                "{method} at {stop}"
            );
        }
    }
}

#[test]
fn dense_is_dense_whatever_the_sparsity() {
    let mut config = config(MethodName::Dense);
    config.run.epochs = 1;
    let (log, snapshot) = train(cpu(), &config, &digits(Some(300)));
    assert_eq!(places(&snapshot.state.layers).len(), 1480);
    let peak = log.finished.unwrap().peak;
    assert!(
        peak.iter()
            .any(|(class, bytes)| class == "dense_weights" && *bytes > 0),
        "{peak:?}"
    );
}
