//! Dropout: its share, its mean, its mask.

use rootlet::engine::random::pcg4d;
use rootlet::engine::{Class, Device, StepState};
use rootlet::layer::DropoutPass;

use crate::common::{Random, devices, says};
use crate::harness::{Output, assert_padding_is_zero, delta, plus, run, wide};

fn layer(p: f32, elements: usize, lanes: usize) -> DropoutPass {
    DropoutPass {
        p,
        layer: 3,
        elements,
        lanes,
    }
}

fn state(seed: u32, step: u32, first: usize, count: usize) -> StepState {
    StepState {
        first: first as u32,
        total: 1000,
        ..StepState::whole(seed, step, count, 0.1)
    }
}

fn forward(
    device: &Device,
    what: &str,
    layer: &DropoutPass,
    state: StepState,
    x: &[f32],
) -> Vec<f32> {
    record(
        device,
        what,
        layer,
        state,
        x,
        Output::Noise(x.len()),
        Pass::Forward,
    )
}

enum Pass {
    Forward,
    Backward { accumulate: bool },
}

fn record(
    device: &Device,
    what: &str,
    layer: &DropoutPass,
    state: StepState,
    x: &[f32],
    output: Output,
    pass: Pass,
) -> Vec<f32> {
    let words: &[u32] = bytemuck_words(&state);
    let step = device.buffer_with("step", Class::Scratch, words).unwrap();
    run(device, what, &[x], output, |plan, i, o| match pass {
        Pass::Forward => layer.forward(plan, step.all(), i[0].clone(), o),
        Pass::Backward { accumulate } => {
            layer.backward(plan, step.all(), i[0].clone(), o, accumulate)
        }
    })
}

fn bytemuck_words(state: &StepState) -> &[u32] {
    rootlet::engine::kernel::bytemuck::cast_slice(std::slice::from_ref(state))
}

/// The documented rule, number by number.
fn keeps(layer: &DropoutPass, state: &StepState, element: usize, lane: usize) -> bool {
    let member = state.first + lane as u32;
    let [a, b, c, _] = pcg4d([
        state.seed,
        state.step,
        (7 << 24) | layer.layer,
        element as u32,
    ]);
    let word = pcg4d([a, b, c, member / 4])[member as usize % 4];
    f64::from(word) >= f64::from(layer.p) * 4_294_967_296.0
}

#[test]
fn elements_are_kept_by_the_rule_and_scaled() {
    let random = &mut Random(51);
    let devices = devices();
    for (elements, lanes) in [(1, 4), (7, 12), (50, 36), (3, 260), (700, 100)] {
        for p in [0.0, 0.1, 0.5, 0.9] {
            let layer = layer(p, elements, lanes);
            for first in [0, 5, 6, 1023] {
                let state = state(9, 2, first, lanes);
                let x = random.reals(elements * lanes);
                for (name, device) in &devices {
                    let what = format!("{layer:?}, first {first} on {name}");
                    let found = forward(device, &what, &layer, state, &x);
                    for (i, (y, x)) in found.iter().zip(&x).enumerate() {
                        let kept = keeps(&layer, &state, i / lanes, i % lanes);
                        let expected = if kept {
                            f64::from(*x) / (1.0 - f64::from(p))
                        } else {
                            0.0
                        };
                        let close = (f64::from(*y) - expected).abs() <= 2e-7 * expected.abs();
                        assert!(close, "{what}, word {i}: {y} is not {expected}");
                    }
                }
            }
        }
    }
}

/// Five standard deviations of a binomial count; the seeds are fixed, so this is not flaky.
#[test]
fn the_share_dropped_is_p_and_the_mean_stays() {
    let (elements, lanes) = (600, 128);
    let n = (elements * lanes) as f64;
    let ones = vec![1f32; elements * lanes];
    for (name, device) in devices() {
        for p in [0.05f32, 0.1, 0.5, 0.9] {
            let found = forward(
                &device,
                &name,
                &layer(p, elements, lanes),
                state(1, 7, 0, lanes),
                &ones,
            );
            let dropped = found.iter().filter(|y| **y == 0.0).count() as f64;
            let p = f64::from(p);
            let deviation = (p * (1.0 - p) / n).sqrt();
            assert!(
                (dropped / n - p).abs() < 5.0 * deviation,
                "{name}: {dropped} of {n} for {p}"
            );
            let mean = found.iter().map(|y| f64::from(*y)).sum::<f64>() / n;
            assert!(
                (mean - 1.0).abs() < 5.0 * deviation / (1.0 - p),
                "{name}: mean {mean} for {p}"
            );
        }
    }
}

fn mask(device: &Device, layer: &DropoutPass, state: StepState) -> Vec<bool> {
    let ones = vec![1f32; layer.elements * layer.lanes];
    let found = forward(device, "mask", layer, state, &ones);
    found.iter().map(|y| *y != 0.0).collect()
}

/// Two independent masks agree in p^2 + (1-p)^2 of the places.
#[test]
fn masks_of_seeds_steps_layers_members_and_elements_are_independent() {
    let device = Device::cpu(2).unwrap();
    let (elements, lanes) = (512, 128);
    let usual = layer(0.5, elements, lanes);
    let at = |seed, step| state(seed, step, 0, lanes);
    let base = mask(&device, &usual, at(1, 1));
    assert!(
        base == mask(&device, &usual, at(1, 1)),
        "the same numbers, another mask"
    );
    let other_layer = DropoutPass { layer: 4, ..usual };
    let shifted = |by: usize| base[by..].to_vec();
    for (what, other) in [
        ("seed", mask(&device, &usual, at(2, 1))),
        ("step", mask(&device, &usual, at(1, 2))),
        ("layer", mask(&device, &other_layer, at(1, 1))),
        ("seed and step swapped", mask(&device, &usual, at(0, 2))),
        ("next member", shifted(1)),
        ("next group of members", shifted(4)),
        ("next element", shifted(lanes)),
        ("next element and member", shifted(lanes + 1)),
        ("element 256 on", shifted(256 * lanes)),
    ] {
        let agree = base.iter().zip(&other).filter(|(a, b)| a == b).count() as f64;
        let n = other.len() as f64;
        let deviation = 0.5 * n.sqrt();
        assert!(
            (agree - n / 2.0).abs() < 5.0 * deviation,
            "{what}: {agree} of {n} agree"
        );
    }
}

#[test]
fn the_mask_does_not_depend_on_how_the_batch_is_split() {
    let (elements, total) = (9, 45);
    for (name, device) in devices() {
        let whole = mask(&device, &layer(0.4, elements, 48), state(5, 8, 0, total));
        for parts in [&[45][..], &[20, 25], &[13, 7, 25], &[1, 2, 3, 39]] {
            let mut first = 0;
            for &count in parts {
                let lanes = usize::next_multiple_of(count, 4);
                let part = mask(
                    &device,
                    &layer(0.4, elements, lanes),
                    state(5, 8, first, count),
                );
                for element in 0..elements {
                    let expected = &whole[element * 48 + first..][..count];
                    assert_eq!(
                        &part[element * lanes..][..count],
                        expected,
                        "{name}, {parts:?}"
                    );
                }
                first += count;
            }
        }
    }
}

#[test]
fn backward_has_the_mask_of_forward_and_keeps_padding_zero() {
    let random = &mut Random(52);
    let (elements, lanes, count) = (11, 20, 17);
    let layer = layer(0.3, elements, lanes);
    let state = state(6, 1, 40, count);
    let d = delta(random, elements, lanes, count);
    let before = delta(random, elements, lanes, count);
    for (name, device) in devices() {
        let mask = mask(&device, &layer, state);
        let expected: Vec<f64> = mask
            .iter()
            .zip(wide(&d))
            .map(|(kept, d)| {
                if *kept {
                    d / (1.0 - f64::from(0.3f32))
                } else {
                    0.0
                }
            })
            .collect();
        let solve = |output, accumulate| {
            record(
                &device,
                &name,
                &layer,
                state,
                &d,
                output,
                Pass::Backward { accumulate },
            )
        };
        let fresh = solve(Output::Noise(d.len()), false);
        crate::harness::assert_close(&fresh, &expected, 2e-7, &name);
        assert_padding_is_zero(&fresh, lanes, count, &name);
        let added = solve(Output::Holding(&before), true);
        crate::harness::assert_close(&added, &plus(&expected, &before), 3e-7, &name);
        assert_padding_is_zero(&added, lanes, count, &name);
    }
}

#[test]
fn a_nan_comes_out_even_where_it_is_dropped() {
    let x = vec![f32::NAN; 64];
    for (name, device) in devices() {
        let found = forward(&device, &name, &layer(0.5, 4, 16), state(1, 1, 0, 16), &x);
        assert!(found.iter().all(|y| y.is_nan()), "{name}");
    }
}

#[test]
fn shares_that_cannot_be_are_refused() {
    let device = Device::cpu(1).unwrap();
    let buffer = |words| device.buffer("b", Class::Scratch, words).unwrap().all();
    for p in [1.0, 1.5, -0.1, f32::NAN] {
        let mut plan = rootlet::engine::Plan::new("test");
        let result = layer(p, 1, 4).forward(&mut plan, buffer(8), buffer(4), buffer(4));
        says(result, &["dropout of", "less than 1"]);
    }
    let mut plan = rootlet::engine::Plan::new("test");
    let far = DropoutPass {
        layer: 1 << 24,
        ..layer(0.5, 1, 4)
    };
    says(
        far.forward(&mut plan, buffer(8), buffer(4), buffer(4)),
        &["24 bits"],
    );
}
