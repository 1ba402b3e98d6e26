//! Networks whose kernels are fused, as on hardware, train as those whose kernels are apart, rounds included; they are
//! resumed to the bit.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::{cpu, open};
use rootlet::data::{Batch, Targets};
use rootlet::engine::{Device, DeviceOptions, StepState, WorkgroupShape};
use rootlet::model::{Extent, Model, VitOptions, by_name, simple_vit};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::optim::Sgd;
use rootlet::sparse::{Assignment, LayerState, allocate};
use rootlet::topology::method;

/// Steps, and those of them that have a round.
const STEPS: u32 = 7;
const ROUNDS: [u32; 2] = [2, 5];

const CLASSES: usize = 10;

/// Largest difference of a number after all steps, relative to the largest of its tensor.
///
/// Fused kernels add up the same numbers in another order, which rounds a sum by some 1e-7 of its terms otherwise. Norms
/// divide by small deviations, and seven steps carry it on through all layers, back and forth.
const TOLERANCE: f64 = 1e-3;

/// Largest difference of the first three losses, before which lie two updates: rounding, and no more.
const ROUNDED: f32 = 1e-5;

/// Least share of the connections that are the same after two rounds: rounding decides between scores that are almost
/// equal.
const COMMON: f64 = 0.98;

struct Case {
    model: Model,
    method: &'static str,
    count: usize,
}

/// Planes that batch norms take whole and in tiles, shortcuts, a transformer; rounds that draw and that score all pairs.
fn cases() -> Vec<Case> {
    let image = |side| Extent {
        channels: 3,
        height: side,
        width: side,
    };
    let small = |name, input, hidden: &[usize]| {
        let options = rootlet::model::ModelOptions {
            input,
            classes: CLASSES,
            width: 0.25,
            hidden,
        };
        by_name(name, &options).unwrap()
    };
    let vit = VitOptions {
        patch: 2,
        dim: 32,
        depth: 2,
        heads: 2,
        head_dim: 16,
        mlp: 48,
    };
    let vit = simple_vit("a small ViT", image(8), vit, CLASSES).unwrap();
    let case = |model, method, count| Case {
        model,
        method,
        count,
    };
    vec![
        case(small("mlp", image(8), &[96, 64]), "gse-uniform", 33),
        case(small("resnet20", image(8), &[]), "gse-grabo", 16),
        case(small("resnet20", image(32), &[]), "set", 36),
        case(small("resnet50", image(32), &[]), "gse-uniform", 8),
        case(vit.clone(), "rigl", 20),
        case(vit, "gse-uniform", 9),
    ]
}

/// A batch of noise, the same for the same step.
fn batch(case: &Case, step: u32) -> Batch {
    let mut word = step;
    let mut next = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        word >> 8
    };
    let lanes = case.count.next_multiple_of(4);
    let words = case.model.input().size() * lanes;
    Batch {
        inputs: (0..words)
            .map(|_| next() as f32 / (1 << 23) as f32 - 1.0)
            .collect(),
        targets: Targets::Labels((0..lanes).map(|_| next() % CLASSES as u32).collect()),
        count: case.count,
        weights: Vec::new(),
        index: 0,
    }
}

/// The state after all steps, and the loss of each. At `stop` it goes on in a new network from what the old one saved.
fn trained(
    device: &Device,
    case: &Case,
    fused: bool,
    stop: Option<u32>,
) -> (NetworkState, Vec<f32>) {
    let counts = allocate(&case.model.shapes(), 0.8, Assignment::ErdosRenyi).unwrap();
    let mut state = NetworkState::initialise(&case.model, &counts, 5);
    let options = NetworkOptions {
        micro_batch: Some(case.count),
        optimiser: Arc::new(Sgd::new(0.9, 1e-4, false).unwrap()),
        dense_above: Some(2.0),
        fused: Some(fused),
        ..NetworkOptions::of_batch(case.count)
    };
    let method = method(case.method).unwrap();
    let network = |state: &NetworkState| {
        Network::new(device, &case.model, state, &options, method.as_ref()).unwrap()
    };
    let mut on_device = network(&state);
    let mut losses = Vec::new();
    for step in 0..STEPS {
        if stop == Some(step) {
            on_device = network(&state);
        }
        let batch = [batch(case, step)];
        let uniform = StepState::whole(7, step, case.count, 0.05);
        match ROUNDS.contains(&step) {
            true => drop(
                on_device
                    .train_with_round(device, &batch, uniform, 0.3, None, None)
                    .unwrap(),
            ),
            false => on_device.train_parts(device, &batch, uniform).unwrap(),
        }
        let now = u64::from(step)..u64::from(step) + 1;
        losses.push(on_device.train_results(device, now).unwrap()[0].loss);
        state = on_device.export(device).unwrap();
    }
    (state, losses)
}

/// The CPU executor, and the first adapter in the hardware shape.
fn devices() -> [Device; 2] {
    let hardware = DeviceOptions {
        shape: Some(WorkgroupShape::HARDWARE),
        ..DeviceOptions::default()
    };
    [cpu(), open(hardware)]
}

fn each(check: impl Fn(&Device, &Case, &str)) {
    for device in devices() {
        for case in cases() {
            let (name, count) = (case.model.name(), case.count);
            let what = format!("{}: {name}, {}, batch {count}", device.name(), case.method);
            check(&device, &case, &what);
        }
    }
}

/// Largest difference relative to the largest magnitude of `a`.
fn difference(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = a
        .iter()
        .fold(f64::MIN_POSITIVE, |m, x| m.max(f64::from(x.abs())));
    let worst = a.iter().zip(b).map(|(a, b)| {
        let off = (f64::from(*a) - f64::from(*b)).abs();
        if off.is_nan() { f64::INFINITY } else { off }
    });
    worst.fold(0.0, f64::max) / largest
}

/// The weights of the connections that both have, in order.
fn alike(a: &LayerState, b: &LayerState) -> [Vec<f32>; 2] {
    let both: BTreeSet<_> = b.pairs().collect();
    let both: BTreeSet<_> = a.pairs().filter(|pair| both.contains(pair)).collect();
    [a, b].map(|layer| {
        let weights = layer.pairs().zip(&layer.values);
        let weights = weights.filter(|(pair, _)| both.contains(pair));
        weights.map(|(_, weight)| *weight).collect()
    })
}

#[test]
fn a_fused_network_trains_as_one_whose_kernels_are_apart() {
    each(|device, case, what| {
        let (apart, losses) = trained(device, case, false, None);
        let (fused, fused_losses) = trained(device, case, true, None);
        let loss = difference(&losses, &fused_losses);
        let mut worst = 0f64;
        let (mut common, mut all) = (0, 0);
        for (a, f) in apart.layers.iter().zip(&fused.layers) {
            let [weights, fused_weights] = alike(a, f);
            common += weights.len();
            all += a.active();
            worst = worst.max(difference(&weights, &fused_weights));
            worst = worst.max(difference(&a.bias, &f.bias));
        }
        for (a, f) in apart.parameters.iter().zip(&fused.parameters) {
            for (a, f) in a.arrays.iter().zip(&f.arrays) {
                worst = worst.max(difference(&a.values, &f.values));
            }
        }
        let common = common as f64 / all as f64;
        let steps = losses.iter().zip(&fused_losses);
        let steps: Vec<f32> = steps.map(|(a, f)| (f - a).abs() / a).collect();
        println!(
            "{what}: losses within {loss:.1e}, numbers {worst:.1e}, {common} of the connections alike, by step {steps:?}"
        );
        assert!(common >= COMMON, "{what}: {common}");
        // Where sums are rounded otherwise, each step makes more of it: all but the first are compared loosely.
        let first = steps[..3].iter().fold(0f32, |most, step| most.max(*step));
        assert!(first <= ROUNDED, "{what}: the first losses by {first}");
        assert!(loss <= 10.0 * TOLERANCE, "{what}: the losses by {loss}");
        let parted = common < 1.0 || loss > f64::from(ROUNDED);
        assert!(parted || worst <= TOLERANCE, "{what}: {worst}");
    });
}

/// At a round and after the last one.
#[test]
fn a_fused_network_is_resumed_to_the_bit() {
    each(|device, case, what| {
        let (unbroken, losses) = trained(device, case, true, None);
        for stop in [2, 6] {
            let (resumed, again) = trained(device, case, true, Some(stop));
            assert!(unbroken == resumed, "{what}, stopped at {stop}");
            let bits = |losses: &[f32]| losses.iter().map(|l| l.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&losses), bits(&again), "{what}, stopped at {stop}");
        }
    });
}
