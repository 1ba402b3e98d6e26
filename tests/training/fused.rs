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
use rootlet::sparse::{Assignment, ConvBackward, LayerState, allocate};
use rootlet::topology::method;

/// Steps, and those of them that have a round.
const STEPS: u32 = 7;
const ROUNDS: [u32; 2] = [2, 5];

const CLASSES: usize = 10;

/// Fused kernels sum the same numbers in another order, which changes the rounding of a sum by some 1e-7 of its terms.
/// Norms divide by small deviations, and each step carries the difference on through all layers, back and forth: in
/// deep networks it grows a millionfold within a few steps. So a fused network may differ from one with separate
/// kernels by this factor times as much as that network differs from itself if the last bit of some of its inputs is
/// flipped.
const TIMES: f32 = 20.0;

/// Largest difference of the losses, and of any number after all steps relative to the largest in its tensor, if
/// flipped bits show less.
const ROUNDED: f32 = 1e-5;
const TOLERANCE: f32 = 1e-3;

/// Minimum share of the connections that are the same after two rounds, or the share with flipped bits, minus the rest
/// to 1: rounding decides between scores that are almost equal.
const COMMON: f32 = 0.98;

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

/// A batch of noise, the same for the same step; if `flipped`, except for the last bit of every third number.
fn batch(case: &Case, step: u32, flipped: bool) -> Batch {
    let mut word = step;
    let mut next = || {
        word = word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        word >> 8
    };
    let lanes = case.count.next_multiple_of(4);
    let words = case.model.input().size() * lanes;
    Batch {
        inputs: (0..words)
            .map(|i| {
                let x = next() as f32 / (1 << 23) as f32 - 1.0;
                f32::from_bits(x.to_bits() ^ u32::from(flipped && i % 3 == 0))
            })
            .collect(),
        targets: Targets::Labels((0..lanes).map(|_| next() % CLASSES as u32).collect()),
        count: case.count,
        weights: Vec::new(),
        index: 0,
    }
}

/// How a network is trained.
#[derive(Clone, Copy, Default)]
struct How {
    fused: bool,
    /// Whether bits of its inputs are flipped.
    flipped: bool,
    /// The step before which it continues in a new network from what the old one saved.
    stop: Option<u32>,
}

/// The state after all steps, and the loss of each.
fn trained(device: &Device, case: &Case, how: How) -> (NetworkState, Vec<f32>) {
    let counts = allocate(&case.model.shapes(), 0.8, Assignment::ErdosRenyi).unwrap();
    let mut state = NetworkState::initialise(&case.model, &counts, 5);
    let options = NetworkOptions {
        micro_batch: Some(case.count),
        optimiser: Arc::new(Sgd::new(0.9, 1e-4, false).unwrap()),
        dense_above: Some(2.0),
        fused: Some(how.fused),
        ..NetworkOptions::of_batch(case.count)
    };
    let method = method(case.method).unwrap();
    let network = |state: &NetworkState| {
        Network::new(device, &case.model, state, &options, method.as_ref()).unwrap()
    };
    let mut on_device = network(&state);
    let mut losses = Vec::new();
    for step in 0..STEPS {
        if how.stop == Some(step) {
            on_device = network(&state);
        }
        let batch = [batch(case, step, how.flipped)];
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

/// Each case on the CPU executor and on the first adapter in the hardware shape; cases with convolutions also with
/// WebGPU's default limits, under which a kernel binds at most 8 storage buffers.
fn each(check: impl Fn(&Device, &Case, &str)) {
    let hardware = |default_limits| {
        open(DeviceOptions {
            shape: Some(WorkgroupShape::HARDWARE),
            default_limits,
            ..DeviceOptions::default()
        })
    };
    for (device, narrow) in [
        (cpu(), false),
        (hardware(false), false),
        (hardware(true), true),
    ] {
        assert_eq!(device.binds::<ConvBackward>(), !narrow);
        for case in cases() {
            let (name, count) = (case.model.name(), case.count);
            if narrow && (name, count) != ("resnet20", 16) {
                continue;
            }
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

/// How much two trainings differ.
#[derive(Debug)]
struct Apart {
    /// The largest difference of the losses up to each step, relative to them.
    losses: Vec<f32>,
    /// Share of the connections that both have.
    common: f32,
    /// The largest difference of a number, relative to the largest of its tensor.
    worst: f32,
}

fn compare(
    (a, losses): &(NetworkState, Vec<f32>),
    (b, others): &(NetworkState, Vec<f32>),
) -> Apart {
    let mut worst = 0f64;
    let (mut common, mut all) = (0, 0);
    for (a, b) in a.layers.iter().zip(&b.layers) {
        let [weights, other_weights] = alike(a, b);
        common += weights.len();
        all += a.active();
        worst = worst.max(difference(&weights, &other_weights));
        worst = worst.max(difference(&a.bias, &b.bias));
    }
    for (a, b) in a.parameters.iter().zip(&b.parameters) {
        for (a, b) in a.arrays.iter().zip(&b.arrays) {
            worst = worst.max(difference(&a.values, &b.values));
        }
    }
    let mut most = 0f32;
    let steps = losses.iter().zip(others).map(|(a, b)| {
        let off = (b - a).abs() / a;
        most = most.max(if off.is_nan() { f32::INFINITY } else { off });
        most
    });
    Apart {
        losses: steps.collect(),
        common: common as f32 / all as f32,
        worst: worst as f32,
    }
}

#[test]
fn a_fused_network_trains_as_one_whose_kernels_are_apart() {
    each(|device, case, what| {
        let plain = How::default();
        let apart = trained(device, case, plain);
        let fused = How {
            fused: true,
            ..plain
        };
        let fused = compare(&apart, &trained(device, case, fused));
        let flipped = How {
            flipped: true,
            ..plain
        };
        let flipped = compare(&apart, &trained(device, case, flipped));
        println!("{what}: {fused:?}, of flipped bits {flipped:?}");
        for (step, (off, bits)) in fused.losses.iter().zip(&flipped.losses).enumerate() {
            let most = ROUNDED.max(TIMES * bits);
            assert!(*off <= most, "{what}: the loss of step {step} by {off}");
        }
        let least = COMMON.min(flipped.common - (1.0 - COMMON));
        assert!(fused.common >= least, "{what}: {}", fused.common);
        let most = TOLERANCE.max(TIMES * flipped.worst);
        assert!(fused.worst <= most, "{what}: {}", fused.worst);
    });
}

/// At a round and after the last one.
#[test]
fn a_fused_network_is_resumed_to_the_bit() {
    each(|device, case, what| {
        let how = How {
            fused: true,
            ..How::default()
        };
        let (unbroken, losses) = trained(device, case, how);
        for stop in [2, 6] {
            let how = How {
                stop: Some(stop),
                ..how
            };
            let (resumed, again) = trained(device, case, how);
            assert!(unbroken == resumed, "{what}, stopped at {stop}");
            let bits = |losses: &[f32]| losses.iter().map(|l| l.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&losses), bits(&again), "{what}, stopped at {stop}");
        }
    });
}
