//! Every method learns.

use crate::{SCOPES, cpu, digits, gpu, methods, small, train};
use rootlet::data::{self, DataOptions};
use rootlet::topology::MethodName;
use rootlet::train::TrainConfig;

#[test]
fn every_method_learns_the_digits() {
    let data = digits(None);
    for method in methods() {
        for scope in SCOPES {
            let mut config = small();
            config.topology.method = method;
            config.topology.scope = scope;
            config.model.hidden = vec![96];
            config.run.epochs = 4;
            let (log, _) = train(cpu(), &config, &data);
            let finished = log.finished.unwrap();
            let accuracy = finished.test_accuracy;
            println!("{method}, {scope:?}: {accuracy}");
            assert!(accuracy > 0.9, "{method}, {scope:?}: {accuracy}");
            assert_eq!((finished.step, finished.epochs), (4 * 46, 4));
            assert!(!finished.interrupted);
        }
    }
}

#[test]
fn a_gpu_learns_as_well_as_cpu() {
    let data = digits(None);
    let mut config = small();
    config.model.hidden = vec![96];
    config.run.epochs = 3;
    let accuracy = |device| {
        train(device, &config, &data)
            .0
            .finished
            .unwrap()
            .test_accuracy
    };
    let (gpu, cpu) = (accuracy(gpu()), accuracy(cpu()));
    println!("gpu {gpu}, cpu {cpu}");
    // 355 test images: 3 points are two standard deviations of the difference at 96 %.
    assert!((gpu - cpu).abs() <= 0.03, "gpu {gpu}, cpu {cpu}");
    assert!(gpu > 0.9);
}

/// Fashion-MNIST, 98 % sparse, 2 epochs, with the folder of the data in `ROOTLET_DATA`:
/// `ROOTLET_DATA=… cargo test --release --test training -- --ignored fashion --nocapture`
#[test]
#[ignore = "needs the data set: set ROOTLET_DATA to the folder that holds it"]
fn fashion_is_learnt_at_98_percent() {
    let Some(dir) = std::env::var_os("ROOTLET_DATA") else {
        println!("skipped: ROOTLET_DATA is not set");
        return;
    };
    let data = data::load(&DataOptions {
        name: "fashion-mnist".into(),
        dir: Some(dir.into()),
        ..DataOptions::default()
    })
    .unwrap();
    let mut accuracies = Vec::new();
    for method in [MethodName::Static, MethodName::GseUniform] {
        let mut config = TrainConfig::default();
        config.model.hidden = vec![512, 512];
        config.model.sparsity = 0.98;
        config.topology.method = method;
        config.run.batch = 128;
        config.run.epochs = 2;
        config.optimiser.milestones = vec![1.5];
        config.topology.round_every = 100;
        config.topology.round_until = Some(1.5);
        let (log, _) = train(cpu(), &config, &data);
        let accuracy = log.finished.unwrap().test_accuracy;
        println!("{method}: {accuracy}");
        accuracies.push(accuracy);
    }
    assert!(accuracies.iter().all(|a| *a > 0.82), "{accuracies:?}");
}
