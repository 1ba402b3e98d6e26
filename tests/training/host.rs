//! A run against the same training in f64 on the host, written from the definitions: warm-up and milestones, Nesterov,
//! weight decay, label smoothing, the last, smaller batch, and the evaluation.

use crate::{MOMENTUM, cpu, digits, gpu, run, small};
use rootlet::data::{Batch, Dataset, Loader, LoaderOptions, Order};
use rootlet::sparse::LayerState;
use rootlet::topology::MethodName;
use rootlet::train::{TrainConfig, Trainer};

/// A layer in f64, with the velocities beside the weights.
struct Layer {
    state: LayerState,
    values: Vec<f64>,
    momentum: Vec<f64>,
    bias: Vec<f64>,
    bias_momentum: Vec<f64>,
}

fn wide(v: &[f32]) -> Vec<f64> {
    v.iter().map(|&x| f64::from(x)).collect()
}

/// Every layer's input, sample by sample, and at the end the logits.
fn forward(layers: &[Layer], batch: &Batch, lanes: usize) -> Vec<Vec<Vec<f64>>> {
    let member = |i: usize| -> Vec<f64> {
        let lane = batch.inputs[i..].iter().step_by(lanes);
        lane.map(|&x| f64::from(x)).collect()
    };
    let mut all = vec![(0..batch.count).map(member).collect::<Vec<_>>()];
    for (l, layer) in layers.iter().enumerate() {
        let output = |x: &Vec<f64>| -> Vec<f64> {
            (0..layer.bias.len())
                .map(|b| {
                    let terms = (layer.state.row(b))
                        .map(|j| layer.values[j] * x[layer.state.col_indices[j] as usize]);
                    let y = layer.bias[b] + terms.sum::<f64>();
                    if l + 1 < layers.len() { y.max(0.0) } else { y }
                })
                .collect()
        };
        all.push(all[l].iter().map(output).collect());
    }
    all
}

/// Sum of the losses, the number of correct ones, and the gradient of the mean loss at the logits.
fn loss(logits: &[Vec<f64>], labels: &[u32], smoothing: f64) -> (f64, u64, Vec<Vec<f64>>) {
    let (mut sum, mut correct, mut deltas) = (0.0, 0, Vec::new());
    for (z, &label) in logits.iter().zip(labels) {
        let highest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = z.iter().map(|z| (z - highest).exp()).sum();
        let requested = |c: usize| {
            smoothing / z.len() as f64
                + if c == label as usize {
                    1.0 - smoothing
                } else {
                    0.0
                }
        };
        sum -= (0..z.len())
            .map(|c| requested(c) * (z[c] - highest - total.ln()))
            .sum::<f64>();
        correct += u64::from(z[label as usize] == highest);
        let delta =
            |c: usize| ((z[c] - highest).exp() / total - requested(c)) / logits.len() as f64;
        deltas.push((0..z.len()).map(delta).collect());
    }
    (sum, correct, deltas)
}

fn step(layers: &mut [Layer], config: &TrainConfig, rate: f64, batch: &Batch) -> (f64, u64) {
    let inputs = forward(layers, batch, batch.labels().len());
    let logits = &inputs[layers.len()];
    let (sum, correct, mut deltas) = loss(logits, batch.labels(), config.optimiser.label_smoothing);
    for l in (0..layers.len()).rev() {
        let layer = &mut layers[l];
        let mut gradient = vec![0.0; layer.values.len()];
        let mut bias_gradient = vec![0.0; layer.bias.len()];
        let mut before = vec![vec![0.0; layer.state.n_in]; batch.count];
        for (i, delta) in deltas.iter().enumerate() {
            for (b, d) in delta.iter().enumerate() {
                bias_gradient[b] += d;
                for j in layer.state.row(b) {
                    let a = layer.state.col_indices[j] as usize;
                    gradient[j] += d * inputs[l][i][a];
                    if inputs[l][i][a] > 0.0 {
                        before[i][a] += d * layer.values[j];
                    }
                }
            }
        }
        deltas = before;
        let update = |w: &mut [f64], v: &mut [f64], g: &[f64]| {
            for i in 0..w.len() {
                let g = g[i] + config.optimiser.weight_decay() * w[i];
                v[i] = config.optimiser.momentum * v[i] + g;
                w[i] -= rate
                    * if config.optimiser.nesterov {
                        g + config.optimiser.momentum * v[i]
                    } else {
                        v[i]
                    };
            }
        };
        update(&mut layer.values, &mut layer.momentum, &gradient);
        update(&mut layer.bias, &mut layer.bias_momentum, &bias_gradient);
    }
    (sum, correct)
}

/// Mean test loss and accuracy.
fn evaluate(layers: &[Layer], data: &Dataset, batch: usize) -> (f64, f64) {
    let options = LoaderOptions::of_batch(batch);
    let (mut sum, mut correct) = (0.0, 0);
    for batch in Loader::start(data.test.clone(), data.shape, &data.normalisation, options).unwrap()
    {
        let batch = batch.unwrap();
        let outputs = forward(layers, &batch, options.lanes);
        let (loss, found, _) = loss(&outputs[layers.len()], batch.labels(), 0.0);
        sum += loss;
        correct += found;
    }
    let images = data.test.len() as f64;
    (sum / images, correct as f64 / images)
}

/// The f64 training drifts from the f32 one only by rounding.
#[track_caller]
fn near(what: &str, found: f32, expected: f64) {
    let error = (f64::from(found) - expected).abs();
    assert!(
        error <= 1e-3 * expected.abs(),
        "{what}: {found} instead of {expected}"
    );
    println!("{what}: {:.1e}", error / expected.abs());
}

#[test]
fn a_run_equals_the_same_training_in_f64() {
    // 7 batches of 30 and one of 10: the batch size is not a multiple of a vector, and the last is smaller.
    let data = digits(Some(220));
    let until = 8 * 4;
    for (case, device) in [cpu(), gpu(), cpu()].into_iter().enumerate() {
        let mut config = small();
        config.model.hidden = vec![40, 24];
        config.topology.method = MethodName::Static;
        config.run.batch = 30;
        config.run.epochs = 4;
        config.optimiser.lr = Some(0.2);
        config.optimiser.warmup_epochs = 0.5;
        config.optimiser.milestones = vec![1.5, 3.0];
        config.optimiser.lr_decay = 0.2;
        config.optimiser.weight_decay = Some(1e-3);
        config.optimiser.nesterov = case != 2;
        config.optimiser.label_smoothing = if case == 2 { 0.0 } else { 0.1 };
        let at = |what: &str| format!("{}: {what}", device.name());
        let at: Vec<String> = ["train loss", "test loss", "values"].map(at).into();
        let mut trainer = Trainer::new(device, config.clone(), data.clone()).unwrap();
        let mut layers: Vec<Layer> = (trainer.snapshot().unwrap().state.layers.into_iter())
            .map(|state| Layer {
                values: wide(&state.values),
                momentum: wide(state.state.f32(MOMENTUM)),
                bias: wide(&state.bias),
                bias_momentum: wide(state.bias_state.f32(MOMENTUM)),
                state,
            })
            .collect();
        let (log, result) = run(&mut trainer);
        let finished = result.unwrap();
        assert_eq!(finished.step, until);

        let mut t = 0u64;
        for (epoch, told) in log.epochs.iter().enumerate() {
            let options = LoaderOptions {
                order: Order::Shuffled {
                    seed: config.run.seed,
                    epoch: epoch as u32,
                },
                ..LoaderOptions::of_batch(30)
            };
            let (mut sum, mut correct, mut seen, mut rate) = (0.0, 0, 0, 0.0);
            for batch in
                Loader::start(data.train.clone(), data.shape, &data.normalisation, options).unwrap()
            {
                let batch = batch.unwrap();
                // 8 steps per epoch: warm-up over steps 0 to 3, milestones at 12 and 24.
                rate = match t {
                    0..4 => 0.2 * (t + 1) as f64 / 4.0,
                    4..12 => 0.2,
                    12..24 => 0.04,
                    _ => 0.008,
                };
                let (loss, found) = step(&mut layers, &config, rate, &batch);
                sum += loss;
                correct += found;
                seen += batch.count;
                t += 1;
            }
            assert_eq!((seen, told.step), (220, t));
            assert!((f64::from(told.lr) - rate).abs() < 1e-8);
            near(&at[0], told.train_loss, sum / 220.0);
            let (test_loss, accuracy) = evaluate(&layers, &data, 30);
            near(&at[1], told.test_loss, test_loss);
            // Rounding may decide a tie between two classes, but not many.
            let images = |share: f64| (share * 220.0).round() as i64;
            let differ = |a: f32, b: f64| (images(f64::from(a)) - images(b)).abs();
            assert!(differ(told.train_accuracy, correct as f64 / 220.0) <= 1);
            assert!(differ(told.test_accuracy, accuracy) <= 1);
        }
        assert_eq!(log.epochs.len(), 4);
        let told = &log.epochs[3];
        assert_eq!(finished.test_loss, told.test_loss);
        assert!(told.train_loss < 0.7 * log.epochs[0].train_loss, "{log:?}");

        let after = trainer.snapshot().unwrap().state.layers;
        for (found, layer) in after.iter().zip(&layers) {
            for (found, expected) in [
                (&found.values[..], &layer.values),
                (found.state.f32(MOMENTUM), &layer.momentum),
                (&found.bias, &layer.bias),
                (found.bias_state.f32(MOMENTUM), &layer.bias_momentum),
            ] {
                let largest = expected.iter().fold(0f64, |m, e| m.max(e.abs()));
                let worst = (found.iter().zip(expected))
                    .map(|(&f, e)| (f64::from(f) - e).abs())
                    .fold(0f64, f64::max);
                assert!(
                    worst <= 1e-3 * largest,
                    "{}: {worst:e} beside {largest}",
                    at[2]
                );
            }
        }
    }
}
