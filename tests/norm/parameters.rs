//! The norms' parameters on a device: to it and back, none at all, one optimiser update over all.

use rootlet::engine::{Class, Device, Plan, STEP_WORDS, StepState};
use rootlet::layer::norm::{NormKind, NormState, Norms};
use rootlet::optim::SgdOptions;

use crate::common::{Random, devices, says};

fn states(random: &mut Random) -> Vec<NormState> {
    [
        (NormKind::Batch, 70),
        (NormKind::Layer, 1),
        (NormKind::Batch, 3),
    ]
    .map(|(kind, channels)| {
        let mut state = NormState::new(kind, channels);
        for part in [
            &mut state.weight,
            &mut state.bias,
            &mut state.weight_momentum,
            &mut state.bias_momentum,
            &mut state.running_mean,
            &mut state.running_variance,
        ] {
            *part = random.reals(part.len());
        }
        state
    })
    .to_vec()
}

#[test]
fn a_new_norm_changes_nothing() {
    let state = NormState::new(NormKind::Batch, 2);
    assert_eq!(state.weight, [1.0, 1.0]);
    assert_eq!(state.bias, [0.0, 0.0]);
    assert_eq!(state.running_mean, [0.0, 0.0]);
    assert_eq!(state.running_variance, [1.0, 1.0]);
    assert_eq!(state.weight_momentum, [0.0, 0.0]);
    assert_eq!(state.bias_momentum, [0.0, 0.0]);
    let state = NormState::new(NormKind::Layer, 3);
    assert_eq!(state.channels(), 3);
    assert!(state.running_mean.is_empty() && state.running_variance.is_empty());
}

#[test]
fn what_is_imported_is_exported() {
    for (name, device) in devices() {
        let random = &mut Random(31);
        let first = states(random);
        let norms = Norms::new(&device, &first).unwrap();
        assert_eq!((norms.channels, norms.pitch, norms.words()), (74, 128, 256));
        assert_eq!(norms.spans[2].first, 71);
        assert_eq!(norms.export(&device).unwrap(), first, "{name}");
        let second = states(random);
        norms.import(&device, &second).unwrap();
        assert_eq!(norms.export(&device).unwrap(), second, "{name}");
    }
}

#[test]
fn a_model_may_have_no_norm() {
    for (_, device) in devices() {
        let norms = Norms::new(&device, &[]).unwrap();
        assert_eq!((norms.channels, norms.words()), (0, 0));
        assert_eq!(norms.export(&device).unwrap(), []);
        norms.import(&device, &[]).unwrap();
        let mut plan = Plan::new("test");
        update(&mut plan, &device, &norms);
        assert!(plan.dispatches().is_empty());
    }
}

#[test]
fn norms_that_do_not_fit_are_refused() {
    let device = Device::cpu(1).unwrap();
    let first = states(&mut Random(32));
    let norms = Norms::new(&device, &first).unwrap();
    let refused = |change: fn(&mut Vec<NormState>)| {
        let mut states = first.clone();
        change(&mut states);
        says(norms.import(&device, &states), &["3 norms", "74 channels"]);
    };
    refused(|s| s.truncate(2));
    refused(|s| s.swap(0, 2));
    refused(|s| s[1] = NormState::new(NormKind::Batch, 1));
    refused(|s| s[0].bias.truncate(1));
    refused(|s| s[0].running_variance.truncate(1));
    refused(|s| s[1].running_mean.push(0.0));
    says(
        Norms::new(&device, &[NormState::new(NormKind::Layer, 0)]),
        &["at least one channel"],
    );
    let mut uneven = NormState::new(NormKind::Layer, 2);
    uneven.bias.push(0.0);
    says(Norms::new(&device, &[uneven]), &["lengths"]);
    assert_eq!(norms.export(&device).unwrap(), first);
}

/// Records one update of all parameters.
fn update(plan: &mut Plan, device: &Device, norms: &Norms) {
    let state = StepState::whole(0, 0, 1, 0.5);
    let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
    let step = device.buffer_with("step", Class::Scratch, words).unwrap();
    let sgd = SgdOptions {
        momentum: 0.5,
        weight_decay: 0.25,
        nesterov: false,
    };
    sgd.update(
        plan,
        step.range(0..STEP_WORDS),
        norms.words(),
        norms.gradient.all(),
        norms.values.all(),
        norms.momentum.all(),
    )
    .unwrap();
}

#[test]
fn one_update_serves_all_norms() {
    for (name, device) in devices() {
        let random = &mut Random(33);
        let before = states(random);
        let norms = Norms::new(&device, &before).unwrap();
        let mut gradient = vec![0f32; norms.words()];
        for half in [0, norms.pitch] {
            gradient[half..half + norms.channels].copy_from_slice(&random.reals(norms.channels));
        }
        device.upload(&norms.gradient.all(), &gradient).unwrap();
        let mut plan = Plan::new("test");
        update(&mut plan, &device, &norms);
        assert_eq!(plan.dispatches().len(), 1);
        device.run(&device.prepare(&plan).unwrap()).unwrap();
        let after = norms.export(&device).unwrap();
        for ((span, before), after) in norms.spans.iter().zip(&before).zip(&after) {
            for (first, [value, momentum], [new_value, new_momentum]) in [
                (
                    0,
                    [&before.weight, &before.weight_momentum],
                    [&after.weight, &after.weight_momentum],
                ),
                (
                    norms.pitch,
                    [&before.bias, &before.bias_momentum],
                    [&after.bias, &after.bias_momentum],
                ),
            ] {
                for c in 0..span.channels {
                    let g = gradient[first + span.first + c] + 0.25 * value[c];
                    let v = 0.5 * momentum[c] + g;
                    assert!((new_momentum[c] - v).abs() < 1e-6, "{name}");
                    assert!((new_value[c] - (value[c] - 0.5 * v)).abs() < 1e-6, "{name}");
                }
            }
            assert_eq!(before.running_mean, after.running_mean);
        }
        // What lies between and behind the halves' channels is zero and stays so.
        let values: Vec<f32> = device.download(&norms.values.all()).unwrap();
        for half in values.chunks_exact(norms.pitch) {
            assert!(half[norms.channels..].iter().all(|&x| x == 0.0), "{name}");
        }
    }
}
