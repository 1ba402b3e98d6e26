//! The kernels of the loss, its metrics, the bias gradient and the optimiser, each against its twin and against the
//! formula in f64, on outputs filled with noise: what is not written shows, and what must not be written, too.

use crate::differences::cross_entropy;
use crate::{Random, devices, still};
use rootlet::engine::{Buffer, Class, Device, Grid, Kernel, Plan, StepState};
use rootlet::layer::{
    BatchMetrics, BatchMetricsParams, BiasGradient, BiasGradientParams, SoftmaxCrossEntropy,
    SoftmaxCrossEntropyParams,
};
use rootlet::loss::{FoundClass, FoundClassParams};
use rootlet::optim::{SgdStep, SgdStepParams};

/// What outputs are filled with: a number that no result here comes near.
pub const NOISE: f32 = -7.25e30;

pub fn put(device: &Device, data: &[f32]) -> Buffer {
    device.buffer_with("data", Class::Scratch, data).unwrap()
}

pub fn noise(device: &Device, n: usize) -> Buffer {
    put(device, &vec![NOISE; n])
}

pub fn step(device: &Device, state: StepState) -> Buffer {
    let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
    device.buffer_with("step", Class::Scratch, words).unwrap()
}

pub fn read(device: &Device, buffer: &Buffer) -> Vec<f32> {
    device.download(&buffer.all()).unwrap()
}

/// Runs one kernel, and its twin beside it.
#[track_caller]
pub fn run<K: Kernel>(device: &Device, kernel: K, grid: Grid) {
    let mut plan = Plan::new("test");
    plan.dispatch(kernel, grid).unwrap();
    let program = device.prepare(&plan).unwrap();
    for check in device.run_checked(&program, "").unwrap() {
        check.verdict().unwrap();
    }
}

#[track_caller]
pub fn near(what: &str, found: f32, expected: f64, absolute: f64) {
    let error = (f64::from(found) - expected).abs();
    assert!(
        error <= 1e-5 * expected.abs() + absolute,
        "{what}: {found} instead of {expected}"
    );
}

pub fn softmax(
    device: &Device,
    logits: &[f32],
    labels: &[u32],
    count: usize,
    smoothing: f32,
) -> [Buffer; 3] {
    let (lanes, n) = (labels.len(), logits.len());
    let outputs = [noise(device, n), noise(device, lanes), noise(device, lanes)];
    let labels = device.buffer_with("labels", Class::Data, labels).unwrap();
    let [delta, losses, correct] = outputs.each_ref().map(Buffer::all);
    let kernel = SoftmaxCrossEntropy {
        params: SoftmaxCrossEntropyParams {
            classes: (n / lanes) as u32,
            lanes: lanes as u32,
            smoothing,
        },
        step: step(device, still(count)).all(),
        logits: put(device, logits).all(),
        labels: labels.all(),
        delta,
        losses,
        correct,
    };
    run(device, kernel, Grid::Items(lanes));
    outputs
}

/// What the kernel of accuracy alone finds.
fn found(device: &Device, logits: &[f32], labels: &[u32], count: usize) -> Vec<f32> {
    let (lanes, n) = (labels.len(), logits.len());
    let correct = noise(device, lanes);
    let labels = device.buffer_with("labels", Class::Data, labels).unwrap();
    let kernel = FoundClass {
        params: FoundClassParams {
            classes: (n / lanes) as u32,
            lanes: lanes as u32,
        },
        step: step(device, still(count)).all(),
        logits: put(device, logits).all(),
        labels: labels.all(),
        correct: correct.all(),
    };
    run(device, kernel, Grid::Items(lanes));
    read(device, &correct)
}

#[test]
fn softmax_cross_entropy() {
    let mut random = Random(1);
    for device in devices() {
        for (classes, lanes, count, scale, smoothing) in [
            (1, 4, 1, 1.0, 0.0),
            (1, 8, 8, 5.0, 0.3),
            (2, 4, 3, 3.0, 0.0),
            (10, 260, 259, 10.0, 0.1),
            (10, 64, 64, 1e4, 0.0),
            (10, 68, 65, 1e4, 0.1),
            (7, 132, 1, 1.0, 0.0),
            (1000, 12, 10, 8.0, 0.0),
            (1000, 128, 128, 30.0, 0.1),
        ] {
            let logits = random.reals(classes * lanes, scale);
            let labels: Vec<u32> = (0..lanes).map(|_| random.below(classes) as u32).collect();
            let at = format!("{}, {classes} classes, {lanes} lanes", device.name());
            let [delta, losses, correct] = softmax(&device, &logits, &labels, count, smoothing);
            let (delta, losses) = (read(&device, &delta), read(&device, &losses));
            let correct = read(&device, &correct);
            assert_eq!(found(&device, &logits, &labels, count), correct, "{at}");
            for lane in 0..lanes {
                if lane >= count {
                    assert_eq!(
                        (losses[lane], correct[lane]),
                        (0.0, 0.0),
                        "{at}, lane {lane}"
                    );
                    assert!((0..classes).all(|c| delta[c * lanes + lane] == 0.0));
                    continue;
                }
                let own: Vec<f64> = (0..classes)
                    .map(|c| f64::from(logits[c * lanes + lane]))
                    .collect();
                let (label, smoothing) = (labels[lane] as usize, f64::from(smoothing));
                let expected = cross_entropy(&own, label, smoothing);
                near(&at, losses[lane], expected, 1e-5 * f64::from(scale));
                let highest = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let best = own.iter().position(|z| *z == highest).unwrap();
                let hit = f32::from(u8::from(best == label));
                assert_eq!(correct[lane], hit, "{at}, lane {lane}");
                let total: f64 = own.iter().map(|z| (z - highest).exp()).sum();
                for c in 0..classes {
                    let requested =
                        smoothing / classes as f64 + if c == label { 1.0 - smoothing } else { 0.0 };
                    let expected = ((own[c] - highest).exp() / total - requested) / count as f64;
                    let found = delta[c * lanes + lane];
                    near(&at, found, expected, 2e-6 / count as f64);
                }
            }
        }
    }
}

/// On equal logits the lowest class counts, in the padding nothing does.
#[test]
fn equal_logits_count_for_the_lowest_class() {
    for device in devices() {
        let [_, losses, correct] = softmax(&device, &[0.5; 3 * 4], &[0, 1, 2, 0], 3, 0.0);
        let correct = read(&device, &correct);
        assert_eq!(correct, [1.0, 0.0, 0.0, 0.0], "{}", device.name());
        assert_eq!(found(&device, &[0.5; 3 * 4], &[0, 1, 2, 0], 3), correct);
        let losses = read(&device, &losses);
        losses[..3]
            .iter()
            .for_each(|&l| near("loss", l, 3f64.ln(), 0.0));
    }
}

/// A logit that is NaN makes its own sample's loss NaN, and no other; so the trainer sees it.
#[test]
fn bad_logits_reach_the_loss() {
    for device in devices() {
        for bad in [f32::NAN, f32::INFINITY] {
            for class in 0..3 {
                for smoothing in [0.0, 0.1] {
                    let mut logits = [0.5, 0.25, 1.0, -2.0].repeat(3);
                    logits[class * 4 + 1] = bad;
                    // Not through `run`: the twin's result is NaN too, and NaN never compares equal.
                    let [_, losses, correct] = softmax_unchecked(&device, &logits, smoothing);
                    let found = read(&device, &losses);
                    let finite: Vec<bool> = found.iter().map(|l| l.is_finite()).collect();
                    let at = format!("{}: {bad} in class {class}, {found:?}", device.name());
                    assert_eq!(finite, [true, false, true, true], "{at}");
                    let ring = noise(&device, 8);
                    let mut plan = Plan::new("test");
                    plan.dispatch(
                        metrics(&device, &losses, &correct, &ring, 2),
                        Grid::Groups(1),
                    )
                    .unwrap();
                    device.run(&device.prepare(&plan).unwrap()).unwrap();
                    assert!(!read(&device, &ring)[4].is_finite(), "{at}");
                }
            }
        }
    }
}

fn softmax_unchecked(device: &Device, logits: &[f32], smoothing: f32) -> [Buffer; 3] {
    let labels = device
        .buffer_with("labels", Class::Data, &[0u32, 1, 2, 0])
        .unwrap();
    let outputs = [noise(device, 12), noise(device, 4), noise(device, 4)];
    let [delta, losses, correct] = outputs.each_ref().map(Buffer::all);
    let kernel = SoftmaxCrossEntropy {
        params: SoftmaxCrossEntropyParams {
            classes: 3,
            lanes: 4,
            smoothing,
        },
        step: step(device, still(4)).all(),
        logits: put(device, logits).all(),
        labels: labels.all(),
        delta,
        losses,
        correct,
    };
    let mut plan = Plan::new("test");
    plan.dispatch(kernel, Grid::Items(4)).unwrap();
    device.run(&device.prepare(&plan).unwrap()).unwrap();
    outputs
}

/// Metrics of step `at` into a ring of as many slots as it has room for.
fn metrics(
    device: &Device,
    losses: &Buffer,
    scores: &Buffer,
    ring: &Buffer,
    at: u32,
) -> BatchMetrics {
    let state = StepState {
        step: at,
        ..StepState::default()
    };
    BatchMetrics {
        params: BatchMetricsParams {
            lanes: losses.words() as u32,
            slots: (ring.words() / 2) as u32,
        },
        step: step(device, state).all(),
        losses: losses.all(),
        scores: scores.all(),
        ring: ring.all(),
    }
}

#[test]
fn batch_metrics() {
    let mut random = Random(2);
    for device in devices() {
        for (lanes, at) in [
            (4, 0),
            (60, 5),
            (64, 3),
            (68, 13),
            (128, 7),
            (260, 4_000_000_001),
        ] {
            let losses: Vec<f32> = random.reals(lanes, 2.0).iter().map(|l| l.abs()).collect();
            let scores: Vec<f32> = (0..lanes).map(|_| random.below(2) as f32).collect();
            let ring = noise(&device, 16);
            let held = device
                .buffer_with("scores", Class::Scratch, &scores)
                .unwrap();
            let kernel = metrics(&device, &put(&device, &losses), &held, &ring, at);
            run(&device, kernel, Grid::Groups(1));
            let slot = 2 * (at % 8) as usize;
            let expected: f64 = losses.iter().map(|&l| f64::from(l)).sum();
            for (i, &found) in read(&device, &ring).iter().enumerate() {
                if i == slot {
                    near("loss", found, expected, 0.0);
                } else if i == slot + 1 {
                    assert_eq!(found, scores.iter().sum::<f32>());
                } else {
                    assert_eq!(found, NOISE, "slot {}, {lanes} lanes", i / 2);
                }
            }
        }
    }
}

#[test]
fn bias_gradient() {
    let mut random = Random(3);
    for device in devices() {
        for (rows, lanes, first) in [
            (1, 4, 0),
            (3, 12, 5),
            (63, 8, 1),
            (65, 260, 0),
            (1000, 20, 17),
        ] {
            let delta = random.reals(rows * lanes, 1.0);
            let gradient = noise(&device, first + rows + 3);
            let kernel = BiasGradient {
                params: BiasGradientParams {
                    rows: rows as u32,
                    vectors: (lanes / 4) as u32,
                    first_row: first as u32,
                    accumulate: 0,
                },
                delta: put(&device, &delta).all(),
                gradient: gradient.all(),
            };
            run(&device, kernel, Grid::Items(rows));
            for (i, &found) in read(&device, &gradient)[..first + rows + 3]
                .iter()
                .enumerate()
            {
                if !(first..first + rows).contains(&i) {
                    assert_eq!(found, NOISE, "row {i} of another layer");
                    continue;
                }
                let row = &delta[(i - first) * lanes..][..lanes];
                let expected: f64 = row.iter().map(|&d| f64::from(d)).sum();
                near(device.name(), found, expected, 1e-6 * lanes as f64);
            }
        }
    }
}

fn sgd(device: &Device, vectors: usize, nesterov: bool, random: &mut Random) {
    let n = vectors * 4;
    let [gradient, weights, velocity] = [0; 3].map(|_| random.reals(n, 1.0));
    // One vector more than is updated.
    let padded = |data: &[f32]| put(device, &[data, &[NOISE; 4]].concat());
    let (new_weights, new_velocity) = (padded(&weights), padded(&velocity));
    let (momentum, decay, rate) = (0.9f32, 0.01f32, 0.3f32);
    let state = StepState {
        learning_rate: rate,
        ..StepState::default()
    };
    let kernel = SgdStep {
        params: SgdStepParams {
            vectors: vectors as u32,
            momentum,
            weight_decay: decay,
            nesterov: u32::from(nesterov),
        },
        step: step(device, state).all(),
        gradient: put(device, &gradient).all(),
        weights: new_weights.all(),
        velocity: new_velocity.all(),
    };
    run(device, kernel, Grid::Items(vectors));
    let (found_weights, found_velocity) = (read(device, &new_weights), read(device, &new_velocity));
    let [momentum, decay, rate] = [momentum, decay, rate].map(f64::from);
    for i in 0..n {
        let w = f64::from(weights[i]);
        let g = f64::from(gradient[i]) + decay * w;
        let v = momentum * f64::from(velocity[i]) + g;
        let direction = if nesterov { g + momentum * v } else { v };
        near("velocity", found_velocity[i], v, 1e-6);
        near("weight", found_weights[i], w - rate * direction, 1e-6);
    }
    assert!(
        found_weights[n..].iter().all(|w| *w == NOISE),
        "past the end"
    );
    assert!(
        found_velocity[n..].iter().all(|v| *v == NOISE),
        "past the end"
    );
}

#[test]
fn sgd_updates_weights_and_velocity() {
    let mut random = Random(4);
    for device in devices() {
        for vectors in [1, 63, 64, 65, 1000, 5000] {
            for nesterov in [false, true] {
                sgd(&device, vectors, nesterov, &mut random);
            }
        }
    }
}

/// More than 65,535 workgroups, so that the grid is folded. 200 MB:
/// `cargo test --release --test parity -- --ignored folds`
#[test]
#[ignore = "200 MB"]
fn sgd_folds_a_large_grid() {
    for device in devices() {
        sgd(&device, 65_536 * 64 + 1, true, &mut Random(5));
    }
}
