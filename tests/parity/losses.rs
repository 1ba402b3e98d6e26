//! The losses beyond one class per sample, and weights of samples: compared with PyTorch, with the formula in f64 at
//! sizes that people train, and with their twins, on outputs filled with noise.

use crate::fixture::{Fixture, in_lanes};
use crate::kernels::{NOISE, near, noise, put, read, run, softmax, step};
use crate::{Random, devices, still};
use rootlet::engine::{Buffer, Device, Grid, Kernel, Plan};
use rootlet::loss::{
    BinaryCrossEntropyLoss, BinaryCrossEntropyLossParams, HuberLoss, HuberLossParams,
    MeanSquaredErrorLoss, MeanSquaredErrorLossParams, Weigh, WeighParams,
};

/// A loss that is computed output by output.
#[derive(Clone, Copy, Debug)]
enum Loss<'a> {
    Squares,
    Huber(f32),
    Binary(&'a [f32]),
}

/// The loss of a sample's output and its target, and its derivative, in f64.
fn formula(loss: Loss, o: usize, y: f64, t: f64) -> [f64; 2] {
    let e = y - t;
    match loss {
        Loss::Squares => [e * e, 2.0 * e],
        Loss::Huber(delta) => {
            let delta = f64::from(delta);
            match e.abs() <= delta {
                true => [0.5 * e * e, e],
                false => [delta * (e.abs() - 0.5 * delta), delta * e.signum()],
            }
        }
        Loss::Binary(positive) => {
            let weight = f64::from(positive[o]) * t;
            let softplus = |y: f64| y.max(0.0) + (-y.abs()).exp().ln_1p();
            let sigmoid = |y: f64| 1.0 / (1.0 + (-y).exp());
            [
                (1.0 - t) * softplus(y) + weight * softplus(-y),
                (1.0 - t) * sigmoid(y) - weight * sigmoid(-y),
            ]
        }
    }
}

/// Runs a kernel; if `checked`, beside its twin.
fn execute<K: Kernel>(device: &Device, kernel: K, grid: Grid, checked: bool) {
    if checked {
        return run(device, kernel, grid);
    }
    let mut plan = Plan::new("test");
    plan.dispatch(kernel, grid).unwrap();
    device.run(&device.prepare(&plan).unwrap()).unwrap();
}

/// Runs a loss on `[outputs][lanes]`, where `count` lanes are samples: the gradient and the losses.
fn lose(
    device: &Device,
    loss: Loss,
    checked: bool,
    outputs: usize,
    count: usize,
    numbers: [&[f32]; 2],
) -> [Buffer; 2] {
    let [output, targets] = numbers.map(|numbers| put(device, numbers).all());
    let lanes = numbers[0].len() / outputs;
    let (delta, losses) = (noise(device, outputs * lanes), noise(device, lanes));
    let step = step(device, still(count)).all();
    let (outputs, lanes) = (outputs as u32, lanes as u32);
    let grid = Grid::Items(lanes as usize);
    match loss {
        Loss::Squares => {
            let kernel = MeanSquaredErrorLoss {
                params: MeanSquaredErrorLossParams { outputs, lanes },
                step,
                output,
                targets,
                delta: delta.all(),
                losses: losses.all(),
            };
            execute(device, kernel, grid, checked);
        }
        Loss::Huber(threshold) => {
            let kernel = HuberLoss {
                params: HuberLossParams {
                    outputs,
                    lanes,
                    threshold,
                },
                step,
                output,
                targets,
                delta: delta.all(),
                losses: losses.all(),
            };
            execute(device, kernel, grid, checked);
        }
        Loss::Binary(positive) => {
            let kernel = BinaryCrossEntropyLoss {
                params: BinaryCrossEntropyLossParams { outputs, lanes },
                step,
                output,
                targets,
                delta: delta.all(),
                losses: losses.all(),
                positive: put(device, positive).all(),
            };
            execute(device, kernel, grid, checked);
        }
    }
    [delta, losses]
}

/// Multiplies the result of a loss by `weights`.
fn weigh(device: &Device, [delta, losses]: [&Buffer; 2], weights: &[f32]) {
    let lanes = weights.len();
    let kernel = Weigh {
        params: WeighParams {
            outputs: (delta.words() / lanes) as u32,
            lanes: lanes as u32,
        },
        weights: put(device, weights).all(),
        delta: delta.all(),
        losses: losses.all(),
    };
    run(device, kernel, Grid::Items(lanes));
}

/// The mean of the losses, and the gradient, as PyTorch has them.
#[track_caller]
pub fn compare(
    fixture: &Fixture,
    case: &str,
    at: &str,
    [delta, losses]: [&[f32]; 2],
    count: usize,
) {
    let loss = losses[..count].iter().map(|&l| f64::from(l)).sum::<f64>() / count as f64;
    let expected = f64::from(fixture.reals(&format!("{case}.loss"))[0]);
    near(&format!("{at}, loss"), loss as f32, expected, 1e-9);
    let lanes = losses.len();
    let expected = in_lanes(&fixture.reals(&format!("{case}.gradient")), count, lanes);
    let largest = expected.iter().fold(0f32, |most, g| most.max(g.abs()));
    for (&found, &expected) in delta.iter().zip(&expected) {
        // If f64 rounds a sigmoid to 1, PyTorch has no gradient left.
        near(
            at,
            found,
            f64::from(expected),
            1e-5 * f64::from(largest) + 1e-12,
        );
    }
}

#[test]
fn losses_are_those_of_pytorch() {
    let fixture = Fixture::open("losses.safetensors");
    for device in devices() {
        for (count, outputs) in [(1, 1), (13, 3), (65, 67)] {
            let size = format!("{count}x{outputs}");
            let reals = |name: &str| fixture.reals(&format!("{size}.{name}"));
            let lanes = count + 3 - (count + 3) % 4;
            // Padding holds garbage.
            let laid = |name: &str| {
                let mut rows = in_lanes(&reals(name), count, lanes);
                for row in rows.chunks_mut(lanes) {
                    row[count..].fill(f32::NAN);
                }
                rows
            };
            let (x, values, flags) = (laid("x"), laid("values"), laid("flags"));
            let (positive, ones) = (reals("positive"), vec![1.0; outputs]);
            let cases = [
                ("mse", Loss::Squares, &values),
                ("huber_1.0", Loss::Huber(1.0), &values),
                ("huber_0.3", Loss::Huber(0.3), &values),
                ("bce", Loss::Binary(&ones), &flags),
                ("bce_positive", Loss::Binary(&positive), &flags),
            ];
            for (name, loss, targets) in cases {
                let [delta, losses] = lose(&device, loss, true, outputs, count, [&x, targets]);
                let found = [&delta, &losses].map(|buffer| read(&device, buffer));
                let at = format!("{}, {size}, {name}", device.name());
                let case = format!("{size}.{name}");
                compare(&fixture, &case, &at, [&found[0], &found[1]], count);
                let padding = |row: &[f32]| row[count..].iter().all(|&x| x == 0.0);
                assert!(
                    found.iter().all(|rows| rows.chunks(lanes).all(padding)),
                    "{at}"
                );
            }
        }
    }
}

/// `torch.nn.CrossEntropyLoss(weight)`: the mean is divided by the sum of the weights.
#[test]
fn weights_of_classes_are_those_of_pytorch() {
    let fixture = Fixture::open("losses.safetensors");
    for device in devices() {
        for (count, outputs) in [(1, 1), (13, 3), (65, 67)] {
            let size = format!("{count}x{outputs}");
            let of_class = fixture.reals(&format!("{size}.class_weights"));
            let lanes = count + 3 - (count + 3) % 4;
            let x = in_lanes(&fixture.reals(&format!("{size}.x")), count, lanes);
            let mut labels = fixture.integers(&format!("{size}.labels"));
            let own: Vec<f32> = labels.iter().map(|&l| of_class[l as usize]).collect();
            labels.resize(lanes, 0);
            let factor = count as f32 / own.iter().sum::<f32>();
            let mut weights: Vec<f32> = own.iter().map(|w| w * factor).collect();
            weights.resize(lanes, 0.0);
            let [delta, losses, _] = softmax(&device, &x, &labels, count, 0.0);
            weigh(&device, [&delta, &losses], &weights);
            let found = [&delta, &losses].map(|buffer| read(&device, buffer));
            let at = format!("{}, {size}", device.name());
            let case = format!("{size}.cross_entropy_weighted");
            compare(&fixture, &case, &at, [&found[0], &found[1]], count);
        }
    }
}

#[test]
fn losses_are_their_formulas_at_large_sizes() {
    let mut random = Random(11);
    for device in devices() {
        for (outputs, lanes, count) in [(1, 4096, 4095), (1000, 128, 128), (257, 260, 1)] {
            let output = random.reals(outputs * lanes, 4.0);
            let values = random.reals(outputs * lanes, 2.0);
            let flags: Vec<f32> = (0..values.len()).map(|_| random.below(2) as f32).collect();
            let positive: Vec<f32> = random.reals(outputs, 1.0).iter().map(|w| 2.0 + w).collect();
            let cases = [
                (Loss::Squares, &values),
                (Loss::Huber(0.75), &values),
                (Loss::Binary(&positive), &flags),
            ];
            for (loss, targets) in cases {
                let [delta, losses] = lose(&device, loss, true, outputs, count, [&output, targets]);
                let (delta, losses) = (read(&device, &delta), read(&device, &losses));
                let name = format!("{loss:?}");
                let at = format!("{}, {outputs} outputs, {}", device.name(), &name[..5]);
                for (lane, &loss_of_lane) in losses.iter().enumerate() {
                    let mut sum = 0.0;
                    for o in 0..outputs {
                        let place = o * lanes + lane;
                        let [y, t] = [output[place], targets[place]].map(f64::from);
                        let [part, slope] = formula(loss, o, y, t);
                        let expected = match lane < count {
                            true => slope / (outputs * count) as f64,
                            false => 0.0,
                        };
                        near(&at, delta[place], expected, 1e-6 / (outputs * count) as f64);
                        sum += part / outputs as f64;
                    }
                    near(
                        &at,
                        loss_of_lane,
                        if lane < count { sum } else { 0.0 },
                        1e-6,
                    );
                }
            }
        }
    }
}

/// An output that is NaN makes its own sample's loss NaN, and no other sample's.
#[test]
fn bad_outputs_reach_the_loss() {
    for device in devices() {
        for bad in [f32::NAN, f32::INFINITY] {
            for (loss, target) in [
                (Loss::Squares, 0.5),
                (Loss::Huber(1.0), 0.5),
                (Loss::Binary(&[1.0, 1.0]), 0.0),
            ] {
                let output = [0.5, bad, 1.0, -2.0, 0.5, 0.25, 1.0, -2.0];
                // Not compared with the twin: its result is NaN too, and NaN never compares equal.
                let [_, losses] = lose(&device, loss, false, 2, 4, [&output, &[target; 8]]);
                let finite: Vec<bool> = read(&device, &losses)[..4]
                    .iter()
                    .map(|l| l.is_finite())
                    .collect();
                let at = format!("{}, {loss:?}, {bad}", device.name());
                assert_eq!(finite, [true, false, true, true], "{at}");
            }
        }
    }
}

/// Lanes past the samples, and values that are not outputs, stay unchanged.
#[test]
fn weights_multiply_what_a_loss_gave_and_nothing_else() {
    for device in devices() {
        let mut random = Random(12);
        let (outputs, lanes) = (5, 68);
        let (delta, losses) = (random.reals(outputs * lanes, 1.0), random.reals(lanes, 1.0));
        let weights = random.reals(lanes, 1.0);
        let padded = |numbers: &[f32]| put(&device, &[numbers, &[NOISE; 8]].concat());
        let buffers = [padded(&delta), padded(&losses)];
        let kernel = Weigh {
            params: WeighParams {
                outputs: outputs as u32,
                lanes: lanes as u32,
            },
            weights: put(&device, &weights).all(),
            delta: buffers[0].all(),
            losses: buffers[1].all(),
        };
        run(&device, kernel, Grid::Items(lanes));
        for (before, buffer) in [delta, losses].iter().zip(&buffers) {
            let found = read(&device, buffer);
            for (at, before) in before.iter().enumerate() {
                assert_eq!(found[at], before * weights[at % lanes], "{}", device.name());
            }
            assert!(found[before.len()..].iter().all(|&x| x == NOISE));
        }
    }
}
