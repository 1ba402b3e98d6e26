//! Dense parameters on a device: to the device and back, none at all, and one optimiser update over all.

use rootlet::checkpoint::NormKind;
use rootlet::engine::{Class, Device, Plan, STEP_WORDS, StepState};
use rootlet::layer::{Parameter, ParameterState, Parameters};
use rootlet::optim::{Group, Optimiser, Sgd, StateBuffers, Update};

use crate::common::norms::{declared, filled, momentum, norm, upload};
use crate::common::{Random, devices, says};

fn states(random: &mut Random) -> Vec<ParameterState> {
    [
        (NormKind::Batch, 70),
        (NormKind::Layer, 1),
        (NormKind::Batch, 3),
    ]
    .map(|(kind, channels)| filled(kind, channels, |n| random.reals(n)))
    .to_vec()
}

#[test]
fn a_new_norm_changes_nothing() {
    let state = norm(NormKind::Batch, 2);
    for (name, start) in [
        ("weight", 1.0),
        ("bias", 0.0),
        ("running_mean", 0.0),
        ("running_variance", 1.0),
    ] {
        let array = state.array(name).unwrap();
        assert_eq!(array.values, [start; 2], "{name}");
        let trained = !name.starts_with("running");
        assert_eq!(array.trained, trained, "{name}");
        let kept = if trained { 2 } else { 0 };
        assert_eq!(array.state.f32("momentum"), vec![0.0; kept], "{name}");
    }
    let state = norm(NormKind::Layer, 3);
    assert_eq!(state.arrays.len(), 2);
    assert!(state.values("running_mean").is_empty());
}

#[test]
fn what_is_imported_is_exported() {
    for (name, device) in devices() {
        let random = &mut Random(31);
        let first = states(random);
        let parameters = upload(&device, &first);
        // 70 channels take two blocks of 64 words, the others one, for scales and for shifts.
        assert_eq!(parameters.words(), 2 * (128 + 64 + 64));
        assert_eq!(parameters.spans()[2].arrays[1].first, 2 * 128 + 2 * 64 + 64);
        assert_eq!(parameters.export(&device).unwrap(), first, "{name}");
        let second = states(random);
        parameters.import(&device, &second).unwrap();
        assert_eq!(parameters.export(&device).unwrap(), second, "{name}");
    }
}

#[test]
fn a_model_may_have_no_norm() {
    for (_, device) in devices() {
        let parameters = upload(&device, &[]);
        assert_eq!(parameters.words(), 0);
        assert_eq!(parameters.export(&device).unwrap(), []);
        parameters.import(&device, &[]).unwrap();
        let mut plan = Plan::new("test");
        update(&mut plan, &device, &parameters);
        assert!(plan.dispatches().is_empty());
    }
}

#[test]
fn states_that_do_not_fit_are_refused() {
    let device = Device::cpu(1).unwrap();
    let first = states(&mut Random(32));
    let parameters = upload(&device, &first);
    let refused = |change: fn(&mut Vec<ParameterState>)| {
        let mut states = first.clone();
        change(&mut states);
        says(
            parameters.import(&device, &states),
            &["do not fit the 3 layers"],
        );
    };
    refused(|s| s.truncate(2));
    refused(|s| s.swap(0, 2));
    refused(|s| s[1] = norm(NormKind::Batch, 1));
    refused(|s| s[0].arrays[1].values.truncate(1));
    refused(|s| s[0].arrays[3].values.truncate(1));
    refused(|s| s[0].arrays[0].trained = false);
    refused(|s| s[0].arrays[2].state = momentum(vec![0.0; 70]));
    refused(|s| s[1].arrays[0].name = "scale".into());
    let empty = ("scale", vec![Parameter::trained("gain", 0, 1.0)]);
    says(
        Parameters::new(&device, &[empty], None).map(|_| ()),
        &["gain", "scale", "no words"],
    );
    assert_eq!(parameters.export(&device).unwrap(), first);
}

#[test]
fn a_layer_finds_its_arrays_by_name() {
    let device = Device::cpu(1).unwrap();
    let layers = [
        declared(NormKind::Layer, 5),
        (
            "scale",
            vec![
                Parameter::trained("gain", 3, 2.0),
                Parameter::untrained("seen", 2, 0.0),
            ],
        ),
    ];
    let parameters = Parameters::new(&device, &layers, None).unwrap();
    let scale = parameters.layer(1).unwrap();
    assert_eq!(scale.first("gain").unwrap(), 128);
    assert_eq!(scale.values_of("gain").unwrap().range(), 128..131);
    assert_eq!(scale.gradient_of("gain").unwrap().range(), 128..131);
    assert_eq!(scale.values_of("seen").unwrap().range(), 0..2);
    says(
        scale.gradient_of("seen").map(|_| ()),
        &["`seen`", "scale", "does not declare"],
    );
    says(scale.first("weight").map(|_| ()), &["`weight`", "scale"]);
    says(
        parameters.layer(2).map(|_| ()),
        &["dense parameters 2 among 2"],
    );
}

/// Records one update of all parameters.
fn update(plan: &mut Plan, device: &Device, parameters: &Parameters) {
    let state = StepState::whole(0, 0, 1, 0.5);
    let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
    let step = device.buffer_with("step", Class::Scratch, words).unwrap();
    let sgd = Sgd::new(0.5, 0.25, false).unwrap();
    let state = parameters.state().map(StateBuffers::arrays).unwrap();
    let views = [parameters.gradient().all(), parameters.values().all()];
    let step = step.range(0..STEP_WORDS);
    let update = Update::new(Group::Dense, parameters.words(), step, views, &state);
    sgd.step(plan, &update).unwrap();
}

#[test]
fn one_update_serves_all_layers() {
    for (name, device) in devices() {
        let random = &mut Random(33);
        let before = states(random);
        let parameters = upload(&device, &before);
        let mut gradient = vec![0f32; parameters.words()];
        let trained = || {
            let arrays = parameters.spans().iter().flat_map(|span| &span.arrays);
            arrays.filter(|array| array.parameter.trained)
        };
        let range = |first: usize, words: usize| first..first + words;
        for array in trained() {
            let words = array.parameter.words;
            gradient[range(array.first, words)].copy_from_slice(&random.reals(words));
        }
        device
            .upload(&parameters.gradient().all(), &gradient)
            .unwrap();
        let mut plan = Plan::new("test");
        update(&mut plan, &device, &parameters);
        assert_eq!(plan.dispatches().len(), 1);
        device.run(&device.prepare(&plan).unwrap()).unwrap();
        let after = parameters.export(&device).unwrap();
        for ((span, before), after) in parameters.spans().iter().zip(&before).zip(&after) {
            for ((at, before), after) in span.arrays.iter().zip(&before.arrays).zip(&after.arrays) {
                if !before.trained {
                    assert_eq!(before, after, "{name}");
                    continue;
                }
                let [old, new] = [before, after].map(|array| array.state.f32("momentum"));
                for c in 0..before.values.len() {
                    let value = before.values[c];
                    let g = gradient[at.first + c] + 0.25 * value;
                    let v = 0.5 * old[c] + g;
                    assert!((new[c] - v).abs() < 1e-6, "{name}");
                    assert!((after.values[c] - (value - 0.5 * v)).abs() < 1e-6, "{name}");
                }
            }
        }
        // The gaps between and after the arrays are zero and stay so.
        let mut values: Vec<f32> = device.download(&parameters.values().all()).unwrap();
        for array in trained() {
            values[range(array.first, array.parameter.words)].fill(0.0);
        }
        assert!(values.iter().all(|&x| x == 0.0), "{name}");
    }
}
