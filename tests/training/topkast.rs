//! Top-KAST: forward passes with some of the connections that are trained.

use std::collections::BTreeSet;

use crate::from_dense::{batch, biases, config, drawn, gradients, weights};
use crate::{cpu, digits, gpu, run, train};
use rootlet::checkpoint::LayerState;
use rootlet::topology::MethodName;
use rootlet::train::Trainer;

/// A layer's connections of the largest magnitude, as places `b * n_in + a`.
pub(crate) fn largest(values: &[f32], count: usize) -> BTreeSet<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].abs().total_cmp(&values[a].abs()));
    order.into_iter().take(count).collect()
}

fn layer_places(layer: &LayerState) -> Vec<usize> {
    (layer
        .pairs()
        .map(|(b, a)| b as usize * layer.n_in + a as usize))
    .collect()
}

/// The first step against double precision: forward by A, gradients for B, and the penalty on what is in B but not in
/// A.
#[test]
fn topkast_goes_forward_with_some_and_trains_more() {
    let mut config = config(MethodName::Topkast);
    config.optimiser.weight_decay = Some(1e-3);
    config.topology.topkast_backward = 2.5;
    let data = digits(None);
    let model = config.build_model(data.shape, data.classes).unwrap();
    let requested = config.model.allocate(&model).unwrap();
    let state = drawn(&config);
    let used: Vec<BTreeSet<usize>> = (state.layers.iter().zip(&requested))
        .map(|(layer, &n)| largest(&layer.values, n as usize))
        .collect();
    let mut masked = weights(&state);
    for l in 0..2 {
        for (i, w) in masked[l].iter_mut().enumerate() {
            *w *= f64::from(u8::from(used[l].contains(&i)));
        }
    }
    let g = gradients(&masked, &biases(&state), &batch(&config));
    let density = requested.iter().sum::<u64>() as f64 / 1480.0;
    for device in [cpu, gpu] {
        let mut one = config.clone();
        one.run.steps = Some(1);
        let (_, snapshot) = train(device(), &one, &data);
        for (l, layer) in snapshot.state.layers.iter().enumerate() {
            let drawn = &state.layers[l].values;
            let places = layer_places(layer);
            let trained = largest(drawn, (requested[l] as f64 * 2.5).round() as usize);
            assert!(places.iter().copied().eq(trained), "layer {l}");
            assert_eq!(
                snapshot.state.dense_weights[l], *drawn,
                "laid back every T steps only"
            );
            for (&place, &value) in places.iter().zip(&layer.values) {
                let w = f64::from(drawn[place]);
                let decay = match used[l].contains(&place) {
                    true => 1e-3,
                    false => 1e-3 / density,
                };
                let expected = w - 0.1 * (g[l][place] + decay * w);
                assert!(
                    (f64::from(value) - expected).abs() < 1e-6,
                    "{value} {expected}"
                );
            }
        }
    }
}

#[test]
fn topkast_chooses_anew_from_all_weights() {
    let config = config(MethodName::Topkast);
    let data = digits(Some(300));
    let stopped = |steps: u64, lr: f64| {
        let mut config = config.clone();
        config.run.steps = Some(steps);
        config.optimiser.lr = Some(lr);
        config.optimiser.weight_decay = Some(0.0);
        train(cpu(), &config, &data)
    };
    let (before, after) = (stopped(7, 0.1).1, stopped(8, 0.1));
    assert_eq!(after.0.rounds.len(), 1);
    let mut moved = 0;
    for l in 0..2 {
        let (old, new) = (&before.state.layers[l], &after.1.state.layers[l]);
        let mut all = before.state.dense_weights[l].clone();
        for (place, value) in layer_places(old).into_iter().zip(&old.values) {
            all[place] = *value;
        }
        assert_eq!(after.1.state.dense_weights[l], all);
        let chosen = largest(&all, old.active());
        assert!(layer_places(new).into_iter().eq(chosen));
        moved += after.0.rounds[0].layers[l].grown;
        let stayed: BTreeSet<usize> = layer_places(old).into_iter().collect();
        let grown = layer_places(new)
            .iter()
            .filter(|p| !stayed.contains(p))
            .count();
        assert_eq!(after.0.rounds[0].layers[l].grown, grown as u64);
    }
    assert!(moved > 0);
}

/// If no more connections are trained than used, it is the static network of those connections.
#[test]
fn topkast_without_more_is_static() {
    let data = digits(Some(300));
    let mut base = config(MethodName::Topkast);
    base.topology.topkast_backward = 1.0;
    base.topology.round_every = 1000;
    base.optimiser.weight_decay = Some(0.0);
    base.run.epochs = 1;
    for device in [cpu, gpu] {
        let mut start = Trainer::new(device(), base.clone(), data.clone())
            .unwrap()
            .snapshot()
            .unwrap();
        let (_, topkast) = train(device(), &base, &data);
        start.state.dense_weights.clear();
        let mut config = base.clone();
        config.topology.method = MethodName::Static;
        let mut trainer = Trainer::new(device(), config, data.clone()).unwrap();
        trainer.restore(start).unwrap();
        run(&mut trainer).1.unwrap();
        let plain = trainer.snapshot().unwrap();
        assert_eq!(topkast.state.layers, plain.state.layers);
    }
}
