//! Every layer of the crate by itself: after a convolution, so that it has a gradient to pass on, and before a
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

/// Each layer with as few values as it accepts, and with as many.
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

#[cfg(test)]
mod tests {
    use super::super::problem::{Numbers, drawn, parts};
    use super::*;
    use crate::engine::{Device, StepState};
    use crate::network::{Network, NetworkOptions, NetworkState};
    use crate::topology::method;

    const BATCH: usize = 3;

    fn network(device: &Device, model: &Model, state: &NetworkState) -> Network {
        let options = NetworkOptions {
            dense_above: Some(1.1),
            ..NetworkOptions::of_batch(BATCH)
        };
        let method = method("static").unwrap();
        Network::new(device, model, state, &options, method.as_ref()).unwrap()
    }

    /// The gradients of the trained arrays, in the order of the state's arrays.
    fn dense(device: &Device, network: &Network, state: &NetworkState) -> Vec<f32> {
        let mut gradients = Vec::new();
        for (number, layer) in state.parameters.iter().enumerate() {
            let views = network.parameters().layer(number).unwrap();
            for array in layer.arrays.iter().filter(|array| array.trained) {
                let view = views.gradient_of(&array.name).unwrap();
                gradients.extend(device.download::<f32>(&view).unwrap());
            }
        }
        gradients
    }

    /// The loss of a batch, and the gradients of all connections and of all dense parameters.
    fn step(device: &Device, model: &Model, state: &NetworkState) -> (f64, [Vec<f32>; 2]) {
        let network = network(device, model, state);
        let batch = &parts(model, &network, BATCH, 0)[0];
        network.load(device, batch).unwrap();
        let still = StepState::whole(1, 0, BATCH, 0.0);
        network.train(device, still).unwrap();
        let loss = network.train_results(device, 0..1).unwrap()[0].loss / BATCH as f32;
        let arena = network.arena();
        let connections = arena.gradient().range(0..arena.connections());
        let connections = device.download::<f32>(&connections).unwrap();
        (loss.into(), [connections, dense(device, &network, state)])
    }

    /// Moves the trained values, in the order of the gradients.
    fn moved(state: &NetworkState, [connections, dense]: &[Vec<f32>; 2], by: f32) -> NetworkState {
        let mut state = state.clone();
        let weights = state.layers.iter_mut().flat_map(|layer| &mut layer.values);
        let arrays = state
            .parameters
            .iter_mut()
            .flat_map(|layer| &mut layer.arrays);
        let trained = arrays
            .filter(|array| array.trained)
            .flat_map(|array| &mut array.values);
        for (value, along) in weights.zip(connections).chain(trained.zip(dense)) {
            *value += by * along;
        }
        state
    }

    #[test]
    fn gradients_are_differences_of_the_loss_along_any_direction() {
        let device = Device::cpu(1).unwrap();
        for model in models().unwrap() {
            let mut state = drawn(&model, 0.4);
            state.optimiser = None;
            let (_, gradients) = step(&device, &model, &state);
            let length = |g: &[Vec<f32>; 2]| {
                g.iter()
                    .flatten()
                    .map(|x| f64::from(x * x))
                    .sum::<f64>()
                    .sqrt()
            };
            let whole = length(&gradients);
            let mut numbers = Numbers::new(9);
            let mut directions = vec![gradients.clone()];
            for only in [0, 1] {
                let mut drawn = gradients.clone().map(|g| numbers.reals(g.len()));
                drawn[only].fill(0.0);
                directions.push(drawn);
            }
            for (number, along) in directions.iter().enumerate() {
                let norm = length(along);
                if norm == 0.0 {
                    continue;
                }
                let by = (0.005 / norm) as f32;
                let at = |by| step(&device, &model, &moved(&state, along, by)).0;
                let found = (at(by) - at(-by)) / f64::from(2.0 * by) / norm;
                let pairs = gradients.iter().flatten().zip(along.iter().flatten());
                let stated = pairs.map(|(g, a)| f64::from(g * a)).sum::<f64>() / norm;
                let error = (found - stated).abs();
                assert!(
                    error < 0.01 * whole,
                    "{}, direction {number}: {stated}, and the loss changes by {found}; of {whole}",
                    model.name()
                );
            }
        }
    }
}
