//! One connection in ten thousand: most units have none. It trains, and adapters agree.

use crate::{Log, cpu, digits, gpu, run};
use rootlet::checkpoint::Snapshot;
use rootlet::engine::Device;
use rootlet::topology::MethodName;
use rootlet::train::{TrainConfig, Trainer};

fn train(device: Device, config: &TrainConfig) -> (Log, Snapshot, f32) {
    let mut trainer = Trainer::new(device, config.clone(), digits(Some(160))).unwrap();
    let (log, result) = run(&mut trainer);
    result.unwrap();
    let first = trainer.network().train_results(trainer.device(), 0..1);
    let loss = first.unwrap()[0].loss / 32.0;
    (log, trainer.snapshot().unwrap(), loss)
}

#[test]
fn a_wide_network_with_mostly_empty_rows_trains_alike_on_cpu_and_on_a_gpu() {
    for (method, sparsity, connections) in [
        (MethodName::GseUniform, 0.9999, 1708),
        (MethodName::GseGraest, 0.9999, 1708),
        (MethodName::Set, 0.99999, 171),
    ] {
        let mut config = TrainConfig::default();
        config.model.hidden = vec![4096, 4096];
        config.model.sparsity = sparsity;
        config.topology.method = method;
        config.run.epochs = 2;
        config.run.batch = 32;
        config.topology.round_every = 3;
        config.topology.round_until = Some(2.0);
        let (cpu, after, cpu_loss) = train(cpu(), &config);
        let (gpu, on_gpu, gpu_loss) = train(gpu(), &config);
        assert!((cpu_loss - gpu_loss).abs() <= 1e-4, "{cpu_loss} {gpu_loss}");
        for (log, state) in [(&cpu, &after.state), (&gpu, &on_gpu.state)] {
            assert_eq!(log.rounds.len(), 3, "{method}");
            assert!(
                log.rounds
                    .iter()
                    .all(|r| r.layers.iter().any(|l| l.grown > 0))
            );
            let active: usize = state.layers.iter().map(|l| l.active()).sum();
            assert_eq!(active, connections);
            assert!(state.not_finite().is_none());
            let wide = &state.layers[1];
            let empty = wide
                .crow_indices
                .windows(2)
                .filter(|w| w[0] == w[1])
                .count();
            assert!(empty > 3000, "{empty}");
        }
        let loss = [&cpu, &gpu].map(|log| log.epochs[1].train_loss);
        assert!((loss[0] - loss[1]).abs() <= 1e-3, "{loss:?}");
    }
}
