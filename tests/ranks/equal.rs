//! The same bits, whatever the number of ranks.

use rootlet::low_level::topology::MethodName;
use rootlet::prelude::*;

use super::together::{digits, end, on_ranks, options, train_model};

/// One process with micro-batches, and as many ranks as `sizes` say.
fn same_on(sizes: &[usize], model: Option<Model>, config: TrainConfig) {
    let data = digits();
    let alone = train_model(model.as_ref(), &config, &data, None).unwrap();
    assert!(alone.rounds > 0 && alone.tested.loss.is_finite());
    for &size in sizes {
        let (model, config, data) = (model.clone(), config.clone(), data.clone());
        let ends = on_ranks(size, &options(), move |ranks| {
            train_model(model.as_ref(), &config, &data, Some(ranks)).unwrap()
        });
        for (rank, end) in ends.iter().enumerate() {
            assert_eq!(end, &alone, "rank {rank} of {size}");
        }
    }
}

/// Batches of four parts, the last of three, whose last part is smaller.
pub fn config(method: MethodName) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.model.hidden = vec![64];
    config.topology.method = method;
    config.topology.round_every = 3;
    config.run.batch = 48;
    config.run.epochs = 1;
    config.machine.micro_batch = Some(12);
    config
}

#[test]
fn a_perceptron() {
    // On three ranks there are turns in which some have no part.
    for method in [
        MethodName::GseUniform,
        MethodName::GseGraest,
        MethodName::Rigl,
        MethodName::Set,
    ] {
        same_on(&[2, 3], None, config(method));
    }
}

/// A small residual network with batch norms.
fn residual() -> Result<Model> {
    let mut net = Builder::new(
        "residual",
        model::Extent {
            channels: 1,
            height: 8,
            width: 8,
        },
    );
    let x = net.input();
    let x = net.conv("stem", x, 8, 3, 1, 1)?;
    let x = net.batch_norm_relu("stem.norm", x);
    let y = net.conv("block.conv1", x, 8, 3, 1, 1)?;
    let y = net.batch_norm_relu("block.norm1", y);
    let y = net.conv("block.conv2", y, 8, 3, 1, 1)?;
    let x = net.batch_norm_add_relu("block.norm2", y, x)?;
    let x = net.mean(x);
    let logits = net.linear("classifier", x, 10);
    net.finish(logits)
}

#[test]
fn a_residual_network_with_batch_norms() {
    same_on(
        &[2, 4],
        Some(residual().unwrap()),
        config(MethodName::GseGrabo),
    );
}

/// Samples of unequal weight, a task whose scores need all outputs, and AdamW with clipped gradients.
#[test]
fn weights_clipping_and_another_optimiser() {
    let mut config = config(MethodName::GseUniform);
    config.task.class_weights = "1,2,0.5,1,3,1,1,0.25,1,1".to_owned();
    config.optimiser.optimiser = Some(rootlet::optim::OptimiserName::AdamW);
    config.optimiser.lr = Some(0.003);
    config.optimiser.clip_norm = Some(0.5);
    same_on(&[2, 3], None, config);
}

/// A run of four ranks that two go on with ends as one of four.
#[test]
fn another_number_of_ranks_goes_on_to_the_same_bits() {
    let data = digits();
    let whole = config(MethodName::GseGrabo);
    let alone = train_model(None, &whole, &data, None).unwrap();
    let half = TrainConfig {
        run: rootlet::train::config::RunConfig {
            steps: Some(8),
            ..whole.run.clone()
        },
        ..whole.clone()
    };
    let snapshots = on_ranks(4, &options(), {
        let data = data.clone();
        move |ranks| {
            let mut device = Device::cpu(1).unwrap();
            device.join(ranks);
            let mut trainer = Trainer::new(device, half.clone(), data.clone()).unwrap();
            trainer
                .run(&mut Hooks::observing(&mut |_: &Event| Ok(())))
                .unwrap();
            trainer.snapshot().unwrap()
        }
    });
    let snapshot = snapshots.into_iter().next().unwrap();
    let ends = on_ranks(2, &options(), move |ranks| {
        let mut device = Device::cpu(1).unwrap();
        device.join(ranks);
        let mut trainer = Trainer::new(device, whole.clone(), data.clone()).unwrap();
        trainer.restore(snapshot.clone()).unwrap();
        trainer
            .run(&mut Hooks::observing(&mut |_: &Event| Ok(())))
            .unwrap();
        end(&trainer).unwrap()
    });
    for end in ends {
        assert_eq!(
            (end.network, end.tested),
            (alone.network, alone.tested.clone())
        );
    }
}

/// Every method, also those that begin dense or choose before the first step. The last batch of an epoch has one part
/// alone.
#[test]
fn every_method() {
    let mut differ = Vec::new();
    for name in MethodName::NAMES {
        let mut config = config(name.parse().unwrap());
        config.topology.round_batches = if name.starts_with("gse") { 2 } else { 1 };
        let data = digits();
        let alone = train_model(None, &config, &data, None).unwrap();
        let ends = on_ranks(2, &options(), move |ranks| {
            train_model(None, &config, &data, Some(ranks)).unwrap()
        });
        let unlike = ends.iter().enumerate().filter(|(_, end)| **end != alone);
        differ.extend(unlike.map(|(rank, _)| format!("{name}, rank {rank}")));
    }
    assert!(differ.is_empty(), "{differ:?}");
}
