//! Tasks: classification, several classes per sample, and regression; each with every method, with its metrics, resumed
//! to the bit; weights of classes and samples; and refusals by name.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod mixed;
mod refused;
mod trained;
mod weights;

use common::Random;
use rootlet::data::{Dataset, ImageShape, Targets, Vectors};
use rootlet::train::TrainConfig;

const INPUTS: usize = 6;

/// The kind of targets that a task's samples have.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// One of three classes.
    Labels,
    /// Four classes that each apply or not.
    Flags,
    /// Two numbers.
    Values,
}

/// Samples whose targets are simple functions.
fn part(kind: Kind, seed: u64, samples: usize) -> Vectors {
    let inputs = Random(seed).reals(samples * INPUTS);
    let targets = targets(kind, &inputs);
    Vectors::new(INPUTS, inputs, targets).unwrap()
}

fn targets(kind: Kind, inputs: &[f32]) -> Targets {
    let samples = inputs.chunks(INPUTS);
    match kind {
        Kind::Labels => {
            let class = |x: &[f32]| u32::from(x[0] > x[1]) + u32::from(x[0] > x[1] && x[2] > 0.0);
            samples.map(class).collect::<Vec<u32>>().into()
        }
        Kind::Flags => {
            let flags = samples.map(|x| {
                let applies = |class: usize| x[class] + 0.5 * x[class + 1] > 0.2;
                (0..4).filter(|&c| applies(c)).map(|c| c as u32).collect()
            });
            Targets::flags(4, &flags.collect::<Vec<Vec<u32>>>()).unwrap()
        }
        Kind::Values => {
            let values = samples.flat_map(|x| [x[0] * x[1] + x[2], 2.0 * x[3] - 0.5 * x[4]]);
            values.collect::<Vec<f32>>().into()
        }
    }
}

fn data(kind: Kind) -> Dataset {
    let shape = ImageShape::vector(INPUTS);
    Dataset::new("functions", shape, part(kind, 1, 400), part(kind, 2, 90)).unwrap()
}

fn config(method: &str) -> TrainConfig {
    let mut config = TrainConfig::default();
    config.topology.method = rootlet::topology::MethodName::named(method).unwrap();
    config.model.hidden = vec![32, 24];
    config.model.sparsity = 0.5;
    config.run.epochs = 6;
    config.run.batch = 40;
    config.topology.round_every = 7;
    config.topology.lottery_cycles = 1;
    config.optimiser.lr = Some(0.05);
    config
}
