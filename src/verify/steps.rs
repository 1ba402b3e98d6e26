//! Whole training steps compared with the CPU executor's, each starting from its state. They show what no single kernel
//! does, such as a kernel that starts before the previous one is done.

use super::problem::{drawn, image, options, parts};
use crate::engine::{Device, StepState};
use crate::error::{Error, Misfit, Result};
use crate::model::{Extent, Model, VitOptions, cifar_resnet, mlp, simple_vit};
use crate::network::{Network, NetworkOptions, NetworkState};
use crate::sparse::LayerState;
use crate::topology::method;

/// Largest difference of a number after a step, relative to the largest in its tensor. It allows for rounding, which a
/// step carries through all layers, and through norms that divide by small deviations.
pub const TOLERANCE: f64 = 1e-3;

/// Share of the connections that a round must choose alike: rounding decides between almost equal scores.
const COMMON: f64 = 0.98;

const SEED: u32 = 7;
const BATCH: usize = 16;

/// A network trained for a few steps.
pub(super) struct Steps {
    pub name: &'static str,
    model: Model,
    method: &'static str,
    density: f64,
}

/// The result of a network's steps.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct StepsResult {
    /// The network's name.
    pub network: String,
    /// Number of steps done.
    pub steps: usize,
    /// Largest difference after a step.
    pub error: f64,
    /// The tensor and the step where it occurred.
    pub at: String,
    /// Smallest share of the connections that a round chose alike.
    pub common: f64,
}

impl StepsResult {
    /// Whether the steps agree.
    pub fn passes(&self) -> bool {
        self.error <= TOLERANCE && self.common >= COMMON
    }

    fn offer(&mut self, error: f64, at: impl FnOnce() -> String) {
        // NaN counts as the worst.
        if error > self.error || error.is_nan() {
            self.error = if error.is_nan() { f64::INFINITY } else { error };
            self.at = at();
        }
    }
}

/// A perceptron, a ResNet of 8 layers and a transformer of two blocks.
pub(super) fn all() -> Result<Vec<Steps>> {
    let vit = VitOptions {
        dim: 64,
        depth: 2,
        heads: 2,
        head_dim: 32,
        mlp: 96,
        ..VitOptions::tiny()
    };
    Ok(vec![
        Steps {
            name: "perceptron",
            model: mlp(Extent::vector(784), &[256, 128], 10)?,
            method: "gse-uniform",
            density: 0.1,
        },
        Steps {
            name: "ResNet-8",
            model: cifar_resnet("ResNet-8", image(3, 32, 32), 1, 0.5, 10)?,
            method: "set",
            density: 0.2,
        },
        Steps {
            name: "ViT of two blocks",
            model: simple_vit("ViT of two blocks", image(3, 32, 32), vit, 10)?,
            method: "rigl",
            density: 0.2,
        },
    ])
}

impl Steps {
    /// Takes `steps` steps on the CPU executor and each of them on `device`, too; the middle one has a round.
    pub fn run(&self, cpu: &Device, device: &Device, steps: usize) -> Result<StepsResult> {
        let method = method(self.method)?;
        let mut state = drawn(&self.model, self.density);
        let options = NetworkOptions {
            micro_batch: Some(BATCH),
            dense_above: Some(0.5),
            ..options(BATCH)
        };
        let network = |device| Network::new(device, &self.model, &state, &options, method.as_ref());
        let (mut here, mut there) = (network(cpu)?, network(device)?);
        let mut result = StepsResult {
            network: self.name.to_owned(),
            common: 1.0,
            ..StepsResult::default()
        };
        for step in 0..steps {
            let round = step == steps / 2;
            there.import(device, &state)?;
            let batch = parts(&self.model, &here, BATCH, step as u32);
            let uniform = StepState::whole(SEED, step as u32, BATCH, 0.05);
            let take = |network: &mut Network, device: &Device| -> Result<NetworkState> {
                match round {
                    true => {
                        drop(network.train_with_round(device, &batch, uniform, 0.3, None, None)?)
                    }
                    false => network.train_parts(device, &batch, uniform)?,
                }
                network.export(device)
            };
            let (expected, found) = (take(&mut here, cpu)?, take(&mut there, device)?);
            let now = step as u64..step as u64 + 1;
            let losses = [
                here.train_results(cpu, now.clone())?,
                there.train_results(device, now)?,
            ];
            let [expected_loss, loss] = losses.map(|l| l.first().map_or(f32::NAN, |r| r.loss));
            let off = difference(&[expected_loss], &[loss]);
            result.offer(off, || format!("the loss of step {}", step + 1));
            self.compare(&mut result, step, &expected, &found)?;
            result.steps += 1;
            state = expected;
        }
        Ok(result)
    }

    fn compare(
        &self,
        result: &mut StepsResult,
        step: usize,
        expected: &NetworkState,
        found: &NetworkState,
    ) -> Result<()> {
        let mut tensor = |name: String, expected: &[f32], found: &[f32]| {
            let off = difference(expected, found);
            result.offer(off, || format!("{name} after step {}", step + 1));
        };
        let mut common = (0, 0);
        let names = self.model.sparse();
        for ((node, e), f) in names.iter().zip(&expected.layers).zip(&found.layers) {
            let both = alike(e, f);
            common = (common.0 + both.len(), common.1 + e.active());
            let pick = |values: &[f32], side: usize| -> Vec<f32> {
                both.iter().map(|pair| values[pair[side]]).collect()
            };
            let name = |what: &str| format!("{} of {}", what, node.name);
            tensor(name("weights"), &pick(&e.values, 0), &pick(&f.values, 1));
            for (array, _) in e.state.arrays() {
                let own = [pick(e.state.f32(array), 0), pick(f.state.f32(array), 1)];
                tensor(name(array), &own[0], &own[1]);
            }
            tensor(name("biases"), &e.bias, &f.bias);
            for (array, _) in e.bias_state.arrays() {
                let own = [e.bias_state.f32(array), f.bias_state.f32(array)];
                tensor(name(&format!("biases' {array}")), own[0], own[1]);
            }
        }
        let layers = expected.parameters.iter().zip(&found.parameters);
        for (i, (e, f)) in layers.enumerate() {
            for (e, f) in e.arrays.iter().zip(&f.arrays) {
                let name = format!("{} of norm {i}", e.name);
                tensor(name.clone(), &e.values, &f.values);
                for (array, _) in e.state.arrays() {
                    tensor(
                        format!("{array} of {name}"),
                        e.state.f32(array),
                        f.state.f32(array),
                    );
                }
            }
        }
        if common.1 == 0 {
            return Err(Error::Shape(Misfit::Lacks {
                who: self.name.to_string(),
                what: "connections".to_owned(),
            }));
        }
        let share = common.0 as f64 / common.1 as f64;
        result.common = result.common.min(share);
        Ok(())
    }
}

/// Largest difference relative to the largest expected magnitude; infinite if only one is NaN.
fn difference(expected: &[f32], found: &[f32]) -> f64 {
    let scale = (expected.iter()).fold(f64::MIN_POSITIVE, |m, x| m.max(f64::from(x.abs())));
    let worst = expected.iter().zip(found).map(|(e, f)| {
        let off = (f64::from(*e) - f64::from(*f)).abs();
        if off.is_nan() { f64::INFINITY } else { off }
    });
    worst.fold(0.0, f64::max) / scale
}

/// Indices, in either layer, of the connections that both have.
fn alike(a: &LayerState, b: &LayerState) -> Vec<[usize; 2]> {
    let mut others = b.pairs().enumerate().peekable();
    let mut both = Vec::new();
    for (i, pair) in a.pairs().enumerate() {
        while others.next_if(|(_, other)| *other < pair).is_some() {}
        if let Some((j, _)) = others.next_if(|(_, other)| *other == pair) {
            both.push([i, j]);
        }
    }
    both
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_have_is_compared() {
        let a = LayerState::from_pairs(3, 2, &[(0, 1), (0, 2), (1, 0)]);
        let b = LayerState::from_pairs(3, 2, &[(0, 0), (0, 2), (1, 0), (1, 1)]);
        assert_eq!(alike(&a, &b), [[1, 1], [2, 2]]);
        assert_eq!(difference(&[1.0, -4.0], &[1.0, -3.0]), 0.25);
        assert_eq!(difference(&[1.0], &[f32::NAN]), f64::INFINITY);
        assert_eq!(difference(&[], &[]), 0.0);
    }
}
