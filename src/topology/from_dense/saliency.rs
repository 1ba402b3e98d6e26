//! Pruning before the first step: SNIP, GraSP and SynFlow score the connections of an untrained dense network.
//!
//! Gradients come from the device in tiles and are scored at once, so that the device holds a dense network's weights
//! and one tile. SNIP's list holds only the best so far. GraSP also needs a gradient as the direction of a step, and
//! SynFlow, which prunes little by little, a score for every connection; the host holds these.

use super::probe::{PerConnection, Probe};
use super::select::{Best, keep_largest, magnitudes};
use super::start::{Choice, Start};

use crate::error::Result;
use crate::sparse::LayerState;
use crate::topology::cost::Cost;
use crate::topology::method::Method;

/// SNIP (Lee et al. 2019, "Single-shot network pruning based on connection sensitivity"): keeps the largest |g theta|
/// over the whole model, with g from one batch.
pub struct Snip;

impl Snip {
    pub(in crate::topology) const NAME: &str = "snip";
}

impl Method for Snip {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn start(&self) -> Start<'_> {
        Start::Chosen(self)
    }

    fn cost(&self) -> Cost {
        Cost::before(1.0)
    }
}

impl Choice for Snip {
    fn choose(&self, probe: &mut dyn Probe, requested: usize) -> Result<Vec<LayerState>> {
        let weights = weights(probe.layers());
        let mut best = Best::of(probe.layers(), requested);
        probe.gradients(&weights, &mut |tile| {
            let weights = &weights[tile.layer][tile.pairs()];
            let scores = weights
                .iter()
                .zip(tile.gradients)
                .map(|(w, g)| (w * g).abs());
            best.offer(tile.layer, tile.first, scores);
        })?;
        best.keep(probe.layers())
    }
}

/// GraSP (Wang et al. 2020, "Picking winning tickets before training by preserving gradient flow"): prunes what a
/// gradient step would miss least. It keeps the largest `theta * (H g)` over the whole model, on one batch and without
/// the original's temperature.
///
/// `H g` is a central difference of gradients along g, `(g(theta + e g) - g(theta - e g)) / 2e`, with e such that the
/// step is [`GRASP_STEP`] of the weights' length.
pub struct Grasp;

/// Length of GraSP's finite step along the gradient, relative to the weights: small compared with them, and far above
/// what single precision rounds away.
pub const GRASP_STEP: f64 = 1e-4;

impl Grasp {
    pub(in crate::topology) const NAME: &str = "grasp";
}

impl Method for Grasp {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn start(&self) -> Start<'_> {
        Start::Chosen(self)
    }

    fn cost(&self) -> Cost {
        // The gradient, and its product with the Hessian.
        Cost::before(2.0)
    }
}

impl Choice for Grasp {
    fn choose(&self, probe: &mut dyn Probe, requested: usize) -> Result<Vec<LayerState>> {
        let weights = weights(probe.layers());
        let gradients = whole(probe, &weights)?;
        let length = norm(&gradients);
        let step = match length > 0.0 {
            true => (GRASP_STEP * norm(&weights) / length) as f32,
            false => 0.0,
        };
        let ahead = whole(probe, &combine(&weights, &gradients, |w, g| w + step * g))?;
        let behind = combine(&weights, &gradients, |w, g| w - step * g);
        let mut best = Best::of(probe.layers(), requested);
        probe.gradients(&behind, &mut |tile| {
            let weights = &weights[tile.layer][tile.pairs()];
            let ahead = &ahead[tile.layer][tile.pairs()];
            // Dividing by 2e would not change the ranks.
            let scores = (weights.iter().zip(ahead.iter().zip(tile.gradients)))
                .map(|(w, (ahead, behind))| w * (ahead - behind));
            best.offer(tile.layer, tile.first, scores);
        })?;
        best.keep(probe.layers())
    }
}

/// SynFlow (Tanaka et al. 2020, "Pruning neural networks without any data by iteratively conserving synaptic flow"):
/// keeps the largest `|theta| dR/d|theta|`, where R is the sum of the logits for an image of ones with all weights
/// positive. There are [`SYNFLOW_ITERATIONS`] prunings, each of which keeps the same share.
///
/// Each layer's weights are scaled so that it keeps its input's mean, because R of a deep network exceeds single
/// precision. In a chain of layers this multiplies all scores by the same number. Where shortcuts bypass layers, it
/// puts the shortcuts and the branches on an equal footing, which the original does not.
pub struct SynFlow;

/// Number of SynFlow's prunings, as in its paper.
pub const SYNFLOW_ITERATIONS: u32 = 100;

impl SynFlow {
    pub(in crate::topology) const NAME: &str = "synflow";
}

impl Method for SynFlow {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn start(&self) -> Start<'_> {
        Start::Chosen(self)
    }

    fn cost(&self) -> Cost {
        Cost::before(f64::from(SYNFLOW_ITERATIONS))
    }
}

impl Choice for SynFlow {
    fn choose(&self, probe: &mut dyn Probe, requested: usize) -> Result<Vec<LayerState>> {
        let dense: usize = probe.layers().iter().map(LayerState::active).sum();
        let mut weights = magnitudes(probe.layers());
        let mut scores = weights.clone();
        for iteration in 1..=SYNFLOW_ITERATIONS {
            for (weights, layer) in weights.iter_mut().zip(probe.layers()) {
                keep_the_mean(weights, layer.n_out);
            }
            // Pruned connections score below all others.
            probe.flow(&weights, &mut |tile| {
                let weights = &weights[tile.layer][tile.pairs()];
                let scores = &mut scores[tile.layer][tile.pairs()];
                for ((score, w), g) in scores.iter_mut().zip(weights).zip(tile.gradients) {
                    *score = if *w > 0.0 { w * g } else { -1.0 };
                }
            })?;
            let part = f64::from(iteration) / f64::from(SYNFLOW_ITERATIONS);
            let left = (dense as f64).powf(1.0 - part) * (requested as f64).powf(part);
            drop_the_smallest(probe.layers(), &mut weights, &scores, left.round() as usize)?;
        }
        keep_largest(probe.layers(), &scores, requested)
    }
}

/// Scales a layer so that an input of ones gives an output of mean one.
fn keep_the_mean(weights: &mut [f32], n_out: usize) {
    let sum: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    if sum > 0.0 {
        let scale = (n_out as f64 / sum) as f32;
        weights.iter_mut().for_each(|w| *w *= scale);
    }
}

/// Zeroes all weights but those of the `left` largest scores.
fn drop_the_smallest(
    layers: &[LayerState],
    weights: &mut PerConnection,
    scores: &PerConnection,
    left: usize,
) -> Result<()> {
    let survivors = Best::among(layers, scores, left).numbers()?;
    for (weights, survivors) in weights.iter_mut().zip(survivors) {
        let mut rest = vec![0.0; weights.len()];
        survivors.iter().for_each(|&j| rest[j] = weights[j]);
        *weights = rest;
    }
    Ok(())
}

/// All gradients at once, for rules that need them together.
fn whole(probe: &mut dyn Probe, weights: &PerConnection) -> Result<PerConnection> {
    let mut all: PerConnection = weights.iter().map(|w| vec![0.0; w.len()]).collect();
    probe.gradients(weights, &mut |tile| {
        all[tile.layer][tile.pairs()].copy_from_slice(tile.gradients);
    })?;
    Ok(all)
}

fn weights(layers: &[LayerState]) -> PerConnection {
    layers.iter().map(|layer| layer.values.clone()).collect()
}

fn combine(a: &PerConnection, b: &PerConnection, f: impl Fn(f32, f32) -> f32) -> PerConnection {
    (a.iter().zip(b))
        .map(|(a, b)| a.iter().zip(b).map(|(&a, &b)| f(a, b)).collect())
        .collect()
}

fn norm(values: &PerConnection) -> f64 {
    let squares = values.iter().flatten().map(|&v| f64::from(v).powi(2));
    squares.sum::<f64>().sqrt()
}
