//! Kernels that do in one dispatch what several do in a row, with the same bits.

use std::sync::Arc;

use crate::kernels::{noise, put, read, step};
use crate::{Random, devices, still};
use rootlet::engine::{Buffer, Class, Device, Grid, Plan, StepState};
use rootlet::layer::{
    BatchMetrics, BatchMetricsParams, CrossEntropyMetrics, CrossEntropyMetricsParams,
    SoftmaxCrossEntropy, SoftmaxCrossEntropyParams,
};
use rootlet::optim::{AdamW, Averaged, Group, Optimiser, Sgd, StateArray, Update};

/// Runs a plan, and each twin beside it.
#[track_caller]
fn run(device: &Device, plan: &Plan) {
    let checks = device
        .run_checked(&device.prepare(plan).unwrap(), "")
        .unwrap();
    assert!(device.is_cpu() || !checks.is_empty());
    checks.iter().for_each(|check| check.verdict().unwrap());
}

/// A group of numbers with its gradients and the optimiser's arrays, one vector longer than it says.
struct Numbers {
    count: usize,
    gradient: Buffer,
    weights: Buffer,
    state: Vec<(StateArray, Buffer)>,
}

impl Numbers {
    fn new(device: &Device, optimiser: &dyn Optimiser, count: usize, random: &mut Random) -> Self {
        let words = count.next_multiple_of(4) + 4;
        let reals = |random: &mut Random| put(device, &random.reals(words, 1.0));
        let (gradient, weights) = (reals(random), reals(random));
        let state = optimiser.state().into_iter().map(|array| {
            let buffer = match array.name {
                "age" => {
                    let ages: Vec<u32> = (0..words).map(|_| random.below(50) as u32).collect();
                    device.buffer_with("ages", Class::Scratch, &ages).unwrap()
                }
                // Of squares.
                "second_moment" => {
                    let squares = random
                        .reals(words, 1.0)
                        .iter()
                        .map(|x| x * x)
                        .collect::<Vec<_>>();
                    put(device, &squares)
                }
                _ => reals(random),
            };
            (array, buffer)
        });
        Numbers {
            count,
            gradient,
            weights,
            state: state.collect(),
        }
    }

    fn bits(&self, device: &Device) -> Vec<Vec<u32>> {
        let state = self.state.iter().map(|(_, buffer)| buffer);
        let all = [&self.gradient, &self.weights].into_iter().chain(state);
        all.map(|buffer| device.download(&buffer.all()).unwrap())
            .collect()
    }
}

#[test]
fn an_optimiser_steps_all_groups_together() {
    let sgd: Arc<dyn Optimiser> = Arc::new(Sgd::new(0.9, 1e-2, true).unwrap());
    let adamw: Arc<dyn Optimiser> = Arc::new(AdamW::new([0.9, 0.999], 1e-8, 1e-2).unwrap());
    let averaged: Arc<dyn Optimiser> = Arc::new(Averaged::new(adamw.clone(), 0.99).unwrap());
    let groups = [Group::Connections, Group::Biases, Group::Dense];
    for device in devices() {
        for (optimiser, dispatches) in [(&sgd, [3, 1]), (&adamw, [3, 1]), (&averaged, [6, 4])] {
            for counts in [[1, 1, 1], [257, 63 * 4, 66], [20_003, 1000, 31]] {
                let found = [false, true].map(|together| {
                    let random = &mut Random(7);
                    let numbers =
                        counts.map(|count| Numbers::new(&device, &**optimiser, count, random));
                    let state = StepState {
                        step: 41,
                        learning_rate: 0.3,
                        ..StepState::default()
                    };
                    let state = step(&device, state);
                    let arrays = numbers.each_ref().map(|numbers| {
                        let arrays = numbers.state.iter();
                        arrays
                            .map(|(array, buffer)| (*array, buffer.all()))
                            .collect::<Vec<_>>()
                    });
                    let updates = [0, 1, 2].map(|at| {
                        let Numbers {
                            count,
                            gradient,
                            weights,
                            ..
                        } = &numbers[at];
                        let views = [gradient.all(), weights.all()];
                        Update::new(groups[at], *count, state.all(), views, &arrays[at])
                    });
                    let mut plan = Plan::new("update");
                    match together {
                        true => assert!(
                            optimiser
                                .step_together(&mut plan, &device, &updates)
                                .unwrap()
                        ),
                        false => updates.iter().for_each(|update| {
                            optimiser.step(&mut plan, update).unwrap();
                        }),
                    }
                    assert_eq!(plan.dispatches().len(), dispatches[usize::from(together)]);
                    run(&device, &plan);
                    numbers.each_ref().map(|numbers| numbers.bits(&device))
                });
                assert!(
                    found[0] == found[1],
                    "{optimiser:?} on {}, {counts:?}",
                    device.name()
                );
            }
        }
    }
}

#[test]
fn a_loss_is_summed_where_it_is_computed() {
    for device in devices() {
        for (classes, lanes, count, first) in [
            (10, 4, 3, 0),
            (10, 60, 60, 1),
            (3, 128, 121, 0),
            (1000, 32, 30, 1),
            (7, CrossEntropyMetrics::MOST_LANES, 255, 0),
        ] {
            let random = &mut Random(lanes as u64);
            let logits = put(&device, &random.reals(classes * lanes, 3.0));
            let labels: Vec<u32> = (0..lanes).map(|_| random.below(classes) as u32).collect();
            let labels = device
                .buffer_with("labels", Class::Scratch, &labels)
                .unwrap();
            let state = StepState {
                step: 5,
                first,
                ..still(count)
            };
            let state = step(&device, state);
            let found = [false, true].map(|together| {
                let [delta, losses, correct] =
                    [classes * lanes, lanes, lanes].map(|n| noise(&device, n));
                // What the batch's earlier parts left there.
                let outputs = [delta, losses, correct, put(&device, &[1.5; 16])];
                let [delta, losses, correct, ring] = outputs.each_ref().map(Buffer::all);
                let (classes, lanes, smoothing, slots) = (classes as u32, lanes as u32, 0.1, 8);
                let (step, logits, labels) = (state.all(), logits.all(), labels.all());
                let mut plan = Plan::new("loss");
                if together {
                    let params = CrossEntropyMetricsParams {
                        classes,
                        lanes,
                        smoothing,
                        slots,
                    };
                    let kernel = CrossEntropyMetrics {
                        params,
                        step,
                        logits,
                        labels,
                        delta,
                        losses,
                        correct,
                        ring,
                    };
                    plan.dispatch(kernel, Grid::Groups(1)).unwrap();
                } else {
                    let params = SoftmaxCrossEntropyParams {
                        classes,
                        lanes,
                        smoothing,
                    };
                    let loss = SoftmaxCrossEntropy {
                        params,
                        step: step.clone(),
                        logits,
                        labels,
                        delta,
                        losses: losses.clone(),
                        correct: correct.clone(),
                    };
                    plan.dispatch(loss, Grid::Items(lanes as usize)).unwrap();
                    let sums = BatchMetrics {
                        params: BatchMetricsParams { lanes, slots },
                        step,
                        losses,
                        scores: correct,
                        ring,
                    };
                    plan.dispatch(sums, Grid::Groups(1)).unwrap();
                }
                run(&device, &plan);
                let bits = |buffer| -> Vec<u32> {
                    read(&device, buffer).iter().map(|x| x.to_bits()).collect()
                };
                outputs.each_ref().map(bits)
            });
            assert!(found[0] == found[1], "{lanes} lanes on {}", device.name());
            let ring = found[1][3].iter().enumerate();
            let changed: Vec<usize> = ring
                .filter(|&(_, &word)| word != 1.5f32.to_bits())
                .map(|(at, _)| at)
                .collect();
            // The score changes nothing if no sample is right.
            assert!(
                [&[10][..], &[10, 11]].contains(&&changed[..]),
                "{changed:?} of the ring"
            );
        }
    }
}
