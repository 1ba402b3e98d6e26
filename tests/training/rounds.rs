//! Rounds within a run: when they happen, how much they exchange, and that they touch nothing else.

use std::collections::BTreeMap;

use crate::{MOMENTUM, SCOPES, cpu, digits, gpu, methods, small, train};
use rootlet::engine::Device;
use rootlet::sparse::LayerState;
use rootlet::topology::MethodName;
use rootlet::topology::Scope;

fn active(layers: &[LayerState]) -> Vec<usize> {
    layers.iter().map(LayerState::active).collect()
}

/// Sorted, distinct, in range: the promises of compressed sparse rows.
fn assert_sound(layers: &[LayerState]) {
    for layer in layers {
        let pairs: Vec<_> = layer.pairs().collect();
        assert!(pairs.windows(2).all(|w| w[0] < w[1]));
        assert!(pairs.iter().all(|p| (p.1 as usize) < layer.n_in));
        assert_eq!(layer.crow_indices[layer.n_out] as usize, layer.active());
        assert!(layer.values.iter().all(|v| v.is_finite()));
    }
}

/// Weight and momentum of every connection by layer, output and input.
fn table(layers: &[LayerState]) -> BTreeMap<(usize, u32, u32), (f32, f32)> {
    let mut table = BTreeMap::new();
    for (l, layer) in layers.iter().enumerate() {
        for (j, (b, a)) in layer.pairs().enumerate() {
            table.insert((l, b, a), (layer.values[j], layer.state.f32(MOMENTUM)[j]));
        }
    }
    table
}

/// The state right after a round compared with that of a static run of as many steps: the same except for the exchange.
fn one_round(device: fn() -> Device, method: MethodName, scope: Scope) {
    let at = format!("{method}, {scope:?}");
    let data = digits(Some(400));
    let mut config = small();
    config.topology.method = method;
    config.topology.scope = scope;
    config.run.steps = Some(10);
    // With global scope no layer is dense; the other run's sums must be in the same order.
    config.machine.dense_above = Some(2.0);
    let mut fixed = config.clone();
    fixed.topology.method = MethodName::Static;
    let (_, before) = train(device(), &fixed, &data);
    let (log, after) = train(device(), &config, &data);
    assert_eq!(log.rounds.len(), 1, "{at}");
    assert_sound(&after.state.layers);
    let round = &log.rounds[0];
    let (before, after) = (before.state.layers, after.state.layers);
    let total: usize = active(&before).iter().sum();
    assert_eq!(active(&after).iter().sum::<usize>(), total, "{at}");

    // 13 batches per epoch; T_end after 2 epochs.
    let alpha = 0.1 * (1.0 + (std::f64::consts::PI * 10.0 / 26.0).cos());
    let (old, new) = (table(&before), table(&after));
    let biases = |layers: &[LayerState]| -> Vec<Vec<f32>> {
        layers.iter().map(|l| l.bias.clone()).collect()
    };
    assert_eq!(biases(&before), biases(&after), "{at}");
    for (pair, state) in &new {
        match old.get(pair) {
            Some(survivor) => assert_eq!(state, survivor, "{at}: {pair:?}"),
            None => assert_eq!(*state, (0.0, 0.0), "{at}: {pair:?}"),
        }
    }
    let layers = 0..before.len();
    let pruned: Vec<_> = old.iter().filter(|(p, _)| !new.contains_key(p)).collect();
    let count = |l: Option<usize>| {
        let of_layer = |layer: usize| l.is_none_or(|l| l == layer);
        let gone = pruned.iter().filter(|(p, _)| of_layer(p.0)).count();
        let come = new.keys().filter(|p| !old.contains_key(p) && of_layer(p.0));
        (gone, come.count())
    };
    for l in layers.clone() {
        let told = &round.layers[l];
        let (gone, come) = count(Some(l));
        assert_eq!((told.pruned, told.grown), (gone as u64, come as u64));
        assert_eq!(told.active, after[l].active() as u64);
        assert_eq!(told.total, (before[l].n_in * before[l].n_out) as u64);
        assert!(told.candidates >= told.grown);
        let inactive = told.total - before[l].active() as u64;
        match method {
            MethodName::Rigl => assert_eq!(told.candidates, inactive, "{at}"),
            _ => assert!(told.candidates <= before[l].active() as u64, "gamma is 1"),
        }
        let magnitudes = (pruned.iter().filter(|(p, _)| p.0 == l)).map(|(_, s)| s.0.abs());
        let mean = magnitudes.sum::<f32>() / gone.max(1) as f32;
        assert!((mean - told.pruned_magnitude).abs() <= 1e-5 * mean, "{at}");
    }
    // k = min(ceil(alpha_t |A|), |S|), in every layer or overall, and the k smallest are pruned.
    let groups: Vec<Option<usize>> = match scope {
        Scope::Layer => layers.map(Some).collect(),
        Scope::Global => vec![None],
    };
    for group in groups {
        let of_group = |l: usize| group.is_none_or(|g| g == l);
        let size: usize = (0..before.len())
            .filter(|&l| of_group(l))
            .map(|l| before[l].active())
            .sum();
        let candidates: u64 = (0..before.len())
            .filter(|&l| of_group(l))
            .map(|l| round.layers[l].candidates)
            .sum();
        let k = ((alpha * size as f64).ceil() as usize).min(candidates as usize);
        assert_eq!(count(group), (k, k), "{at}, {group:?}");
        let mut magnitudes: Vec<f32> = (old.iter())
            .filter(|(p, _)| of_group(p.0))
            .map(|(_, s)| s.0.abs())
            .collect();
        magnitudes.sort_by(f32::total_cmp);
        let largest_pruned = (pruned.iter())
            .filter(|(p, _)| of_group(p.0))
            .map(|(_, s)| s.0.abs())
            .fold(0f32, f32::max);
        assert_eq!(largest_pruned, magnitudes[k - 1], "{at}, {group:?}");
    }
}

#[test]
fn a_round_exchanges_the_weakest_and_touches_nothing_else() {
    for scope in SCOPES {
        for method in methods().filter(|method| *method != MethodName::Static) {
            one_round(cpu, method, scope);
        }
    }
    one_round(gpu, MethodName::GseUniform, Scope::Layer);
    one_round(gpu, MethodName::GseGrabo, Scope::Global);
}

#[test]
fn every_method_runs_on_a_gpu_and_keeps_the_number_of_connections() {
    let data = digits(Some(200));
    for method in methods() {
        for scope in SCOPES {
            let mut config = small();
            config.topology.method = method;
            config.topology.scope = scope;
            config.topology.round_every = 3;
            config.run.steps = Some(7);
            let at = format!("{method}, {scope:?}");
            let (log, after) = train(gpu(), &config, &data);
            let expected = if method == MethodName::Static { 0 } else { 2 };
            assert_eq!(log.rounds.len(), expected, "{at}");
            assert_sound(&after.state.layers);
            config.run.steps = Some(1);
            let (_, cpu) = train(cpu(), &config, &data);
            let (now, first) = (active(&after.state.layers), active(&cpu.state.layers));
            assert_eq!(now.iter().sum::<usize>(), first.iter().sum::<usize>());
            if scope == Scope::Layer {
                assert_eq!(now, first, "{at}");
            }
        }
    }
}

/// Every T steps, before T_end, with a share that falls along the cosine.
#[test]
fn rounds_follow_the_schedule() {
    let data = digits(None);
    let mut config = small();
    config.run.epochs = 4;
    config.topology.round_every = 20;
    config.topology.round_until = Some(3.0);
    config.topology.alpha = 0.3;
    let (log, after) = train(cpu(), &config, &data);
    let until = 3.0 * 46.0;
    let steps: Vec<u64> = log.rounds.iter().map(|r| r.step).collect();
    assert_eq!(steps, [20, 40, 60, 80, 100, 120]);
    assert_eq!(after.progress.rounds, 6);
    for round in &log.rounds {
        let part = std::f64::consts::PI * round.step as f64 / until;
        let alpha = 0.15 * (1.0 + part.cos());
        for layer in &round.layers {
            let k = ((alpha * layer.active as f64).ceil() as u64).min(layer.candidates);
            assert_eq!((layer.pruned, layer.grown), (k, k), "step {}", round.step);
            assert!((layer.turnover - k as f64 / layer.active as f64).abs() < 1e-9);
        }
    }
    let mut none = config;
    none.topology.round_until = Some(0.0);
    assert!(train(cpu(), &none, &data).0.rounds.is_empty());
}
