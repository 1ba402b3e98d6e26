//! The moving average of the weights: its definition, with every method; that it is what is tested, and that it changes
//! nothing in the training.

use std::collections::BTreeMap;

use crate::{bits, cpu, digits, gpu, run, small, train};
use rootlet::data::{Dataset, LoaderOptions};
use rootlet::engine::Device;
use rootlet::network::NetworkState;
use rootlet::topology::MethodName;
use rootlet::train::{Setup, TrainConfig, Trainer, evaluate};

const DECAY: f64 = 0.75;

fn config(method: MethodName) -> TrainConfig {
    let mut config = small();
    config.topology.method = method;
    config.topology.round_every = 3;
    config.model.hidden = vec![24, 16];
    config.run.batch = 16;
    config.optimiser.ema = Some(DECAY);
    config
}

/// The state after so many steps.
fn after(device: fn() -> Device, config: &TrainConfig, data: &Dataset, steps: u64) -> NetworkState {
    let mut config = config.clone();
    config.run.steps = Some(steps);
    train(device(), &config, data).1.state
}

/// For each layer and pair: weight and average.
fn pairs(state: &NetworkState) -> BTreeMap<(usize, u32, u32), (f32, f32)> {
    let layers = state.layers.iter().enumerate();
    layers
        .flat_map(|(l, layer)| {
            let averages = layer.state.f32("ema");
            assert_eq!(averages.len(), layer.active());
            let numbers = layer.values.iter().zip(averages);
            let numbers: Vec<_> = numbers.map(|(w, a)| (*w, *a)).collect();
            let pairs: Vec<_> = layer.pairs().map(|(b, a)| (l, b, a)).collect();
            pairs.into_iter().zip(numbers)
        })
        .collect()
}

fn followed(before: f32, weight: f32) -> f64 {
    DECAY * f64::from(before) + (1.0 - DECAY) * f64::from(weight)
}

fn near(found: f32, expected: f64) -> bool {
    (f64::from(found) - expected).abs() <= 1e-6 * (1.0 + expected.abs())
}

/// Step by step; a connection that a round grows begins at its weight.
#[test]
fn averages_follow_the_weights() {
    let data = digits(Some(64));
    for device in [cpu, gpu] {
        for method in [MethodName::GseGrabo, MethodName::Rigl] {
            let config = config(method);
            let drawn = Trainer::new(device(), config.clone(), data.clone()).unwrap();
            let mut before = drawn.snapshot().unwrap().state;
            for ((_, _, _), (weight, average)) in pairs(&before) {
                assert_eq!(weight, average);
            }
            let mut grown = 0;
            for step in 1..=7 {
                let now = after(device, &config, &data, step);
                let old = pairs(&before);
                for (pair, (weight, average)) in pairs(&now) {
                    match old.get(&pair) {
                        Some(&(_, last)) => {
                            assert!(near(average, followed(last, weight)), "{method}, {step}");
                        }
                        None => {
                            assert_eq!((weight, average), (0.0, 0.0), "{method}, {step}");
                            grown += 1;
                        }
                    }
                }
                for (old, now) in before.layers.iter().zip(&now.layers) {
                    let numbers = now.bias.iter().zip(now.bias_state.f32("ema"));
                    for (last, (bias, average)) in old.bias_state.f32("ema").iter().zip(numbers) {
                        assert!(near(*average, followed(*last, *bias)), "{method}, {step}");
                    }
                }
                before = now;
            }
            assert!(grown > 20, "{method}: {grown}");
        }
    }
}

/// Whatever a method does with its connections, the training is unchanged, and the averages are tested: by the trainer,
/// and from the checkpoint.
#[test]
fn averages_are_tested_and_change_nothing_of_the_training() {
    let data = digits(Some(96));
    for &method in &MethodName::ALL {
        let mut config = config(method);
        config.topology.lottery_cycles = 1;
        let mut trainer = Trainer::new(cpu(), config.clone(), data.clone()).unwrap();
        let (log, result) = run(&mut trainer);
        let (end, snapshot) = (result.unwrap(), trainer.snapshot().unwrap());
        config.optimiser.ema = None;
        let (plain, other) = train(cpu(), &config, &data);
        let mut without = snapshot.clone();
        let forget = |state: &mut NetworkState| {
            for layer in &mut state.layers {
                layer.state = Default::default();
                layer.bias_state = Default::default();
            }
        };
        forget(&mut without.state);
        let mut expected = other.clone();
        forget(&mut expected.state);
        assert!(bits(&without) == bits(&expected), "{method}");
        let losses = |log: &crate::Log| log.epochs.iter().map(|e| e.train_loss).collect::<Vec<_>>();
        assert_eq!(losses(&log), losses(&plain), "{method}");
        let other = plain.finished.unwrap();
        assert_ne!(end.test_loss, other.test_loss, "{method}");

        let setup = Setup::new(&config, &data).unwrap();
        let device = cpu();
        let network = setup
            .for_tests(&device, &config, &snapshot.state, 16)
            .unwrap();
        let tested = evaluate(&device, &network, &data, LoaderOptions::of_batch(16)).unwrap();
        assert!((tested.loss - end.test_loss).abs() < 1e-5, "{method}");
        assert_eq!(tested.accuracy, end.test_accuracy, "{method}");
        // They are those of the weights, not of noise.
        assert!(end.test_loss < 2.4, "{method}: {}", end.test_loss);
    }
}
