//! The running statistics of batch norms whose batch comes in parts: those of the whole batch, against 64-bit floats and
//! the twin.

use rootlet::engine::{Class, Grid, Plan, STEP_WORDS, StepState};
use rootlet::layer::norm::{BatchNormAdvance, BatchNormAdvanceParams, MOMENTUM};

use crate::common::{Random, devices};

/// Channels of norms with unlike planes, 300 in all: more than a workgroup takes.
const PLANES: [(usize, u32); 3] = [(3, 1), (290, 64), (7, 9)];

/// Samples of the parts of a batch: equal ones, a smaller last one, single samples.
const BATCHES: [&[u32]; 4] = [&[5], &[16, 16, 16, 7], &[1, 1, 1], &[128, 2]];

#[test]
fn parts_merge_to_the_whole_batch() {
    let channels: Vec<u32> = PLANES
        .iter()
        .flat_map(|&(n, positions)| vec![positions; n])
        .collect();
    let n = channels.len();
    // Means from word 64 on, variances far behind them, with gaps.
    let place = |c: usize| [64 + 2 * c as u32, 1000 + c as u32];
    let places: Vec<u32> = (channels.iter().enumerate())
        .flat_map(|(c, &positions)| [place(c)[0], place(c)[1], positions])
        .collect();
    for (_, device) in devices() {
        for parts in BATCHES {
            let random = &mut Random(parts.len() as u64);
            let total: u32 = parts.iter().sum();
            let before: Vec<f32> = random.reals(1400);
            let running = device
                .buffer_with("running", Class::Scratch, &before)
                .unwrap();
            let noise = [2 * n, 1400].map(|words| random.noise(words));
            let [batch, part] =
                noise.map(|noise| device.buffer_with("noise", Class::Scratch, &noise).unwrap());
            let step = device.buffer("step", Class::Scratch, STEP_WORDS).unwrap();
            let mut plan = Plan::new("test");
            let kernel = BatchNormAdvance {
                params: BatchNormAdvanceParams {
                    channels: n as u32,
                    momentum: MOMENTUM,
                },
                step: step.range(0..STEP_WORDS),
                places: device
                    .buffer_with("places", Class::Scratch, &places)
                    .unwrap()
                    .all(),
                part: part.all(),
                batch: batch.all(),
                running: running.all(),
            };
            plan.dispatch(kernel, Grid::Items(n)).unwrap();
            let program = device.prepare(&plan).unwrap();
            // Of each channel the number of values, their sum, and the sum of their squares.
            let mut expected = vec![[0f64; 3]; n];
            let mut first = 0;
            for &count in parts {
                let found: Vec<f32> = random.reals(1400);
                device.upload(&part.range(0..1400), &found).unwrap();
                for (c, sums) in expected.iter_mut().enumerate() {
                    let values = f64::from(channels[c] * count);
                    let [mean, variance] = place(c).map(|at| f64::from(found[at as usize]));
                    sums[0] += values;
                    sums[1] += values * mean;
                    sums[2] += variance * (values - 1.0).max(1.0) + values * mean * mean;
                }
                let state = StepState {
                    count,
                    first,
                    ..StepState::whole(1, 2, total as usize, 0.1)
                };
                let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
                device.upload(&step.range(0..STEP_WORDS), words).unwrap();
                for check in device.run_checked(&program, "").unwrap() {
                    check.verdict().unwrap();
                }
                first += count;
            }
            let after: Vec<f32> = device.download(&running.range(0..1400)).unwrap();
            let mut touched = vec![false; 1400];
            for (c, [values, sum, squares]) in expected.iter().enumerate() {
                let mean = sum / values;
                let variance = (squares - values * mean * mean) / (values - 1.0).max(1.0);
                for (at, found) in place(c).into_iter().zip([mean, variance]) {
                    let at = at as usize;
                    let momentum = f64::from(MOMENTUM);
                    let expected = (1.0 - momentum) * f64::from(before[at]) + momentum * found;
                    let error = (f64::from(after[at]) - expected).abs();
                    assert!(
                        error < 1e-5,
                        "channel {c} of {parts:?}: {} {expected}",
                        after[at]
                    );
                    touched[at] = true;
                }
            }
            for at in 0..1400 {
                assert!(touched[at] || after[at].to_bits() == before[at].to_bits());
            }
        }
    }
}
