//! AdamW and gradient clipping: their kernels against formulas in f64 and the twins, and sixty steps of static sparse
//! training against PyTorch.

use std::sync::Arc;

use crate::fixture::Fixture;
use crate::kernels::{NOISE, near, noise, put, read, run, step};
use crate::{Random, devices, network};
use rootlet::engine::{Class, Device, Grid, Plan, StepState};
use rootlet::network::NetworkOptions;
use rootlet::optim::{AdamW, AdamWStep, AdamWStepParams, ClipBuffers};
use rootlet::sparse::LayerState;

/// Relative to the largest number of a tensor.
const TOLERANCE: f64 = 1e-5;

/// One step of a number by the definition, with PyTorch's constants.
fn stepped([w, m, v]: [f64; 3], g: f64, steps: f64, rate: f64, decay: f64) -> [f64; 3] {
    let (m, v) = (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g);
    let mean = m / (1.0 - 0.9f64.powf(steps));
    let square = v / (1.0 - 0.999f64.powf(steps));
    let w = w * (1.0 - rate * decay) - rate * mean / (square.sqrt() + 1e-8);
    [w, m, v]
}

fn adamw(device: &Device, vectors: usize, by_age: bool, random: &mut Random) {
    let n = vectors * 4;
    let [gradient, weights, first] = [0; 3].map(|_| random.reals(n, 1.0));
    let second: Vec<f32> = random.reals(n, 1.0).iter().map(|v| v.abs()).collect();
    // Just grown, young, grown up, and too old for β₂ to matter.
    let ages = [0u32, 1, 7, 100, 3000, 1_000_000];
    let ages: Vec<u32> = (0..n).map(|_| ages[random.below(ages.len())]).collect();
    // One vector more than is updated.
    let padded = |data: &[f32]| put(device, &[data, &[NOISE; 4]].concat());
    let [new_weights, new_first, new_second] = [&weights, &first, &second].map(|x| padded(x));
    let padded = [ages.as_slice(), &[77; 4]].concat();
    let new_ages = device.buffer_with("ages", Class::Scratch, &padded).unwrap();
    let (rate, decay) = (0.03f32, 0.01f32);
    let state = StepState {
        step: 41,
        learning_rate: rate,
        ..StepState::default()
    };
    let kernel = AdamWStep {
        params: AdamWStepParams {
            vectors: vectors as u32,
            beta1: 0.9,
            beta2: 0.999,
            rest1: 0.1,
            rest2: 0.001,
            log_beta1: 0.9f64.ln() as f32,
            log_beta2: 0.999f64.ln() as f32,
            epsilon: 1e-8,
            weight_decay: decay,
            by_age: u32::from(by_age),
        },
        step: step(device, state).all(),
        gradient: put(device, &gradient).all(),
        weights: new_weights.all(),
        first: new_first.all(),
        second: new_second.all(),
        age: new_ages.all(),
    };
    run(device, kernel, Grid::Items(vectors));
    let found = [new_weights, new_first, new_second].map(|buffer| read(device, &buffer));
    let found_ages: Vec<u32> = device.download(&new_ages.all()).unwrap();
    for i in 0..n {
        let before = [weights[i], first[i], second[i]].map(f64::from);
        let steps = if by_age { ages[i] + 1 } else { 42 };
        let [rate, decay] = [rate, decay].map(f64::from);
        let after = stepped(before, gradient[i].into(), steps.into(), rate, decay);
        for ((found, expected), what) in found.iter().zip(after).zip(["weight", "first", "second"])
        {
            near(what, found[i], expected, 1e-6);
        }
        assert_eq!(found_ages[i], ages[i] + 1);
    }
    let past_the_end = found.iter().flat_map(|found| &found[n..]);
    assert!(past_the_end.eq([NOISE; 12].iter()), "past the end");
    assert_eq!(found_ages[n..], [77; 4]);
}

#[test]
fn adamw_steps_by_age_or_by_the_run() {
    let mut random = Random(6);
    for device in devices() {
        for vectors in [1, 63, 64, 65, 1000, 5000, 147_006] {
            for by_age in [true, false] {
                adamw(&device, vectors, by_age, &mut random);
            }
        }
    }
}

/// Clips these arrays together; returns them, the factor and the norm.
fn clipped(device: &Device, arrays: &[Vec<f32>], limit: f32) -> (Vec<Vec<f32>>, [f32; 2]) {
    let clip = ClipBuffers {
        sums: noise(device, ClipBuffers::SUMS),
        factor: noise(device, ClipBuffers::FACTOR),
    };
    let padded = |array: &Vec<f32>| {
        // Zeros up to a whole vector, and one more vector that is not its own.
        let mut array = array.clone();
        array.resize(array.len().next_multiple_of(4), 0.0);
        put(device, &[array.as_slice(), &[NOISE; 4]].concat())
    };
    let buffers: Vec<_> = arrays.iter().map(padded).collect();
    let groups: Vec<_> = (buffers.iter().zip(arrays))
        .map(|(buffer, array)| (array.len(), buffer.all()))
        .collect();
    let mut plan = Plan::new("test");
    clip.record(&mut plan, limit, &groups).unwrap();
    let program = device.prepare(&plan).unwrap();
    for check in device.run_checked(&program, "").unwrap() {
        check.verdict().unwrap();
    }
    let factor = read(device, &clip.factor);
    let found = buffers.iter().map(|buffer| read(device, buffer)).collect();
    (found, [factor[0], factor[1]])
}

#[test]
fn gradients_are_shortened_together() {
    let mut random = Random(8);
    for device in devices() {
        for sizes in [[1, 1, 1], [259, 5, 64], [588_022, 8_202, 3], [70_000, 0, 1]] {
            let arrays = sizes.map(|n| random.reals(n, 1.0));
            let squares = arrays.iter().flatten().map(|x| f64::from(*x).powi(2));
            let norm = squares.sum::<f64>().sqrt();
            for share in [0.25, 0.999, 1.001, 7.0] {
                let limit = (norm * share) as f32;
                let (found, [factor, told]) = clipped(&device, &arrays, limit);
                near("norm", told, norm, 0.0);
                let expected = if share < 1.0 { share } else { 1.0 };
                near("factor", factor, expected, 1e-6);
                assert!(share < 1.0 || factor == 1.0, "{factor}");
                for (found, before) in found.iter().zip(&arrays) {
                    for (found, &before) in found.iter().zip(before) {
                        near("gradient", *found, expected * f64::from(before), 1e-6);
                    }
                    assert_eq!(found[found.len() - 4..], [NOISE; 4], "past the end");
                }
            }
        }
    }
}

/// A gradient that is NaN shows in the weights, as without clipping.
#[test]
fn clipping_hides_no_bad_gradient() {
    for device in devices() {
        for bad in [f32::NAN, f32::INFINITY] {
            let clip = ClipBuffers {
                sums: noise(&device, ClipBuffers::SUMS),
                factor: noise(&device, ClipBuffers::FACTOR),
            };
            let gradient = put(&device, &[1.0, bad, 2.0, 3.0]);
            let mut plan = Plan::new("test");
            clip.record(&mut plan, 1.0, &[(4, gradient.all())]).unwrap();
            device.run(&device.prepare(&plan).unwrap()).unwrap();
            let found = read(&device, &gradient);
            assert!(found.iter().any(|g| g.is_nan()), "{bad}: {found:?}");
        }
    }
}

/// Numbers of a layer.
type Part = fn(&LayerState) -> &[f32];

#[track_caller]
fn assert_near(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0f32, |most, e| most.max(e.abs()));
    let errors = found.iter().zip(expected).map(|(f, e)| (f - e).abs());
    let error = errors.fold(0f32, f32::max) / largest;
    println!("{what}: {error:.1e} of the largest");
    assert!(
        f64::from(error) <= TOLERANCE,
        "{what}: {error:.1e} of the largest"
    );
}

#[test]
fn sixty_steps_of_adamw_agree_with_pytorch() {
    let (fixture, train) = (
        Fixture::open("adamw.safetensors"),
        Fixture::open("train.safetensors"),
    );
    let layers = train.layers(&[32, 48, 40, 10]);
    let batches: Vec<_> = (0..7)
        .map(|i| train.batch(&format!("batches.{i}."), 32))
        .collect();
    for device in devices() {
        for (run, clip) in [("adamw", None), ("clipped", Some(0.9))] {
            let at = |what: &str| format!("{}, {run}: {what}", device.name());
            let options = NetworkOptions {
                optimiser: Arc::new(AdamW::new([0.9, 0.999], 1e-8, 0.01).unwrap()),
                clip,
                ..NetworkOptions::of_batch(32)
            };
            let network = network(&device, &[32, 48, 40, 10], &layers, &options);
            for step in 0..60 {
                let batch = &batches[step % 7];
                network.load(&device, batch).unwrap();
                let state = StepState::whole(0, step as u32, batch.count, 0.003);
                network.train(&device, state).unwrap();
            }
            let results = network.train_results(&device, 0..60).unwrap();
            let losses = results.iter().zip(0..).map(|(result, step): (_, usize)| {
                let count = batches[step % 7].count;
                result.loss / count as f32
            });
            let losses: Vec<f32> = losses.collect();
            assert_near(
                &at("losses"),
                &losses,
                &fixture.reals(&format!("{run}.losses")),
            );
            let after = network.arena().export(&device).unwrap();
            let arrays: [(&str, Part); 6] = [
                ("values", |l| &l.values),
                ("first_moment", |l| l.state.f32("first_moment")),
                ("second_moment", |l| l.state.f32("second_moment")),
                ("bias", |l| &l.bias),
                ("bias_first_moment", |l| l.bias_state.f32("first_moment")),
                ("bias_second_moment", |l| l.bias_state.f32("second_moment")),
            ];
            for (name, part) in arrays {
                let found: Vec<f32> = after.iter().flat_map(part).copied().collect();
                let expected = fixture.of_layers(&format!("{run}."), 3, name);
                assert_near(&at(name), &found, &expected);
            }
            let ages = after.iter().flat_map(|l| l.state.u32("age"));
            assert!(ages.eq(std::iter::repeat_n(
                &60,
                layers.iter().map(|l| l.active()).sum()
            )));
        }
    }
}
