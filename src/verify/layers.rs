//! Every layer of the crate by itself: behind a convolution, so that it has a gradient to pass on, and before a
//! classifier.

use std::sync::Arc;

use super::perceptrons::HALVES;
use super::problem::{Path, Problem, Trial, image};
use crate::error::Result;
use crate::layer::{Layer, sample_input, samples};
use crate::model::{Builder, Model};

pub(super) fn problems() -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for model in models()? {
        let trial = Trial::new(model, Path::Sparse(0.4), 3);
        problems.push(trial.clone().into_problem().quick(true));
        for activations in HALVES {
            let half = Trial {
                activations,
                ..trial.clone()
            };
            problems.push(half.into_problem());
        }
    }
    Ok(problems)
}

/// Each layer with as few values as it takes, and with as many.
fn models() -> Result<Vec<Model>> {
    let mut models = Vec::new();
    for layer in samples() {
        let (least, most) = layer.arity().into_inner();
        models.push(model(&layer, least)?);
        if most > least {
            models.push(model(&layer, most)?);
        }
    }
    Ok(models)
}

fn model(layer: &Arc<dyn Layer>, values: usize) -> Result<Model> {
    let taken = sample_input();
    let name = format!("{layer:?} of {values} times {taken}");
    let mut net = Builder::new(&name, image(3, taken.height, taken.width));
    let x = net.input();
    let inputs = (0..values)
        .map(|i| net.conv(&format!("conv{i}"), x, taken.channels, 1, 1, 0))
        .collect::<Result<Vec<_>>>()?;
    let x = net.shared("layer", layer.clone(), &inputs)?;
    let logits = net.linear("classifier", x, 5);
    let x = net.flatten(logits);
    let logits = net.linear("logits", x, 3);
    net.finish(logits)
}
