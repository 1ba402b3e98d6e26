//! A loss that is NaN or infinite stops the run, names the step, and is never saved.

use crate::{MOMENTUM, SCOPES, cpu, digits, gpu, methods, run, small};
use rootlet::Error;
use rootlet::checkpoint::Snapshot;
use rootlet::engine::{Device, Precision};
use rootlet::train::{TrainConfig, Trainer};

fn finite(snapshot: &Snapshot) -> bool {
    (snapshot.state.layers.iter())
        .flat_map(|l| {
            [
                &l.values[..],
                l.state.f32(MOMENTUM),
                &l.bias,
                l.bias_state.f32(MOMENTUM),
            ]
        })
        .flatten()
        .all(|v| v.is_finite())
}

/// The step at which it diverges, after `epochs` good epochs were saved.
fn diverges(device: Device, config: &TrainConfig, epochs: usize) -> u64 {
    let at = format!("{}, {:?}", config.topology.method, config.topology.scope);
    let mut trainer = Trainer::new(device, config.clone(), digits(Some(320))).unwrap();
    let (log, result) = run(&mut trainer);
    assert_eq!(log.saved.len(), epochs, "{at}");
    assert!(log.saved.iter().all(finite), "{at}");
    let error = result.unwrap_err();
    let Error::Diverged { step, loss } = error else {
        panic!("{at}: {error}");
    };
    assert!(!loss.is_finite());
    // The first step whose loss is NaN or infinite, and that loss: neither a later one nor a weight found when saving.
    let results = (trainer.network().train_results(trainer.device(), 0..20)).unwrap();
    let first = results.iter().position(|r| !r.loss.is_finite()).unwrap();
    assert_eq!(step, first as u64 + 1, "{at}");
    assert_eq!(loss.to_bits(), results[first].loss.to_bits(), "{at}");
    let message = error.to_string();
    assert!(message.contains(&format!("at step {step}")), "{message}");
    assert!(trainer.snapshot().is_err(), "{at}");
    step
}

#[test]
fn a_diverged_run_stops_before_it_saves() {
    for method in methods() {
        for scope in SCOPES {
            let mut config = small();
            config.topology.method = method;
            config.topology.scope = scope;
            config.optimiser.lr = Some(1e6);
            config.topology.round_every = 2;
            let step = diverges(cpu(), &config, 0);
            assert!((2..=10).contains(&step), "{method}: step {step}");
            // The step named is the first: before it, the losses were numbers.
            let mut before = config;
            before.run.steps = Some(step - 1);
            let mut trainer = Trainer::new(cpu(), before, digits(Some(320))).unwrap();
            let (log, result) = run(&mut trainer);
            assert!(log.saved.iter().all(finite));
            if let Err(error) = result {
                // Only the weights can have become infinite by now.
                assert!(error.to_string().contains(&format!("step {}", step - 1)));
            }
        }
    }
}

/// The weights and the losses of its steps are finite, but values too large for 16 bits are not.
#[test]
fn a_test_at_the_end_whose_loss_is_no_number_is_an_error() {
    let mut config = small();
    config.machine.activations = Precision::F16;
    config.optimiser.lr = Some(1e5);
    config.run.steps = Some(1);
    let mut trainer = Trainer::new(cpu(), config, digits(Some(320))).unwrap();
    let (log, result) = run(&mut trainer);
    assert!(log.saved.iter().all(finite));
    assert!(log.finished.is_none());
    assert!(matches!(
        result,
        Err(Error::Diverged { step: 1, loss }) if !loss.is_finite()
    ));
}

#[test]
fn what_was_saved_before_it_diverged_stays() {
    for device in [cpu(), gpu()] {
        let mut config = small();
        config.optimiser.lr = Some(0.05);
        config.optimiser.milestones = vec![1.0];
        config.optimiser.lr_decay = 1e6;
        let step = diverges(device, &config, 1);
        assert!((12..=20).contains(&step), "step {step}");
    }
}
