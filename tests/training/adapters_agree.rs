//! A convolutional network with batch norms learns equally well on the CPU executor and on a GPU.

use crate::{Log, cpu, digits, gpu, run};
use rootlet::engine::Device;
use rootlet::topology::MethodName;
use rootlet::train::{TrainConfig, Trainer};

fn learn(device: Device, config: &TrainConfig) -> (Log, f32) {
    let mut trainer = Trainer::new(device, config.clone(), digits(Some(300))).unwrap();
    let (log, result) = run(&mut trainer);
    result.unwrap();
    let first = trainer.network().train_results(trainer.device(), 0..1);
    let loss = first.unwrap()[0].loss / 32.0;
    (log, loss)
}

#[test]
fn a_resnet_learns_alike_on_cpu_and_on_a_gpu() {
    let mut config = TrainConfig::default();
    config.model.name = "resnet20".into();
    config.model.width = 0.25;
    config.model.sparsity = 0.8;
    config.topology.method = MethodName::GseUniform;
    config.data.augment = "none".into();
    config.run.epochs = 2;
    config.run.batch = 32;
    config.optimiser.lr = Some(0.05);
    config.topology.round_every = 5;
    config.topology.round_until = Some(2.0);
    let (cpu, cpu_loss) = learn(cpu(), &config);
    let (gpu, gpu_loss) = learn(gpu(), &config);
    println!("first losses: cpu {cpu_loss}, gpu {gpu_loss}");
    assert!((cpu_loss - gpu_loss).abs() <= 1e-4, "{cpu_loss} {gpu_loss}");
    // Untrained, it knows nothing: not below ln 10.
    assert!(cpu_loss > 2.2 && cpu_loss < 10.0, "{cpu_loss}");
    let rounds = |log: &Log| log.rounds.iter().map(|r| r.step).collect::<Vec<_>>();
    assert_eq!(rounds(&cpu), rounds(&gpu));
    assert!(rounds(&cpu).len() >= 3);
    let accuracy = [&cpu, &gpu].map(|log| log.finished.as_ref().unwrap().test_accuracy);
    println!("accuracies: {accuracy:?}");
    // Only rounding distinguishes them, and hardly so in the first epoch.
    let train = [&cpu, &gpu].map(|log| log.epochs[0].train_loss);
    assert!((train[0] - train[1]).abs() <= 0.02, "{train:?}");
    assert!(accuracy.iter().all(|a| *a > 0.3), "{accuracy:?}");
    assert!((accuracy[0] - accuracy[1]).abs() <= 0.1, "{accuracy:?}");
}
