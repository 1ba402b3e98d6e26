//! The model and its rounds in the form of events.

use super::cost::dense_step;
use super::event;
use super::exploration::LayerStatistics;
use crate::model::{Model, ModelCount};
use crate::topology::{Round, RoundReport};

/// Fills in what `started` says about the model, and a note if a layer was clipped to dense.
pub(super) fn started(
    model: &Model,
    active: &[usize],
    started: event::Started,
) -> (event::Started, Option<String>) {
    let layers = layers(model, active);
    let connections: u64 = layers.iter().map(|l| l.active).sum();
    let count = count(model, active);
    let dense = count.dense;
    let sparsity = 1.0 - connections as f64 / dense as f64;
    let clipped: Vec<usize> = match connections < dense {
        true => (0..layers.len())
            .filter(|&l| layers[l].density >= 1.0)
            .collect(),
        false => Vec::new(),
    };
    let note = (!clipped.is_empty()).then(|| {
        let names: Vec<&str> = clipped.iter().map(|&l| layers[l].name.as_str()).collect();
        format!(
            "{} would get more connections than there are pairs, and is dense; the others share the rest: the overall \
             sparsity is {:.3} %",
            names.join(", "),
            sparsity * 100.0
        )
    });
    let started = event::Started {
        model_name: model.name().to_owned(),
        connections,
        dense,
        sparsity,
        clipped,
        parameters: count.parameters(),
        dense_flops: dense_step(&count),
        model: layers,
        ..started
    };
    (started, note)
}

/// The sparse layers with these numbers of active connections.
pub(super) fn layers(model: &Model, active: &[usize]) -> Vec<event::LayerSummary> {
    let sparse = model.sparse();
    let layers = sparse.iter().zip(active);
    layers
        .map(|(layer, &active)| event::LayerSummary {
            name: layer.name.clone(),
            n_in: layer.shape.n_in,
            n_out: layer.shape.n_out,
            active: active as u64,
            density: active as f64 / layer.shape.dense() as f64,
        })
        .collect()
}

fn count(model: &Model, active: &[usize]) -> ModelCount {
    let active: Vec<u64> = active.iter().map(|&n| n as u64).collect();
    ModelCount::new(model, &active)
}

/// FLOPs of an image's forward pass.
pub(super) fn forward_flops(model: &Model, active: &[usize]) -> f64 {
    count(model, active).forward_flops()
}

/// Floating-point operations of a step, per image, counted like Evci et al. 2020.
#[derive(Clone, Copy)]
pub(super) struct StepFlops {
    pub forward: f64,
    pub backward: f64,
}

/// Forward f, backward 2 f of the trained connections, of which the forward pass may use only some.
pub(super) fn step_flops(model: &Model, active: &[usize], used: Option<&[usize]>) -> StepFlops {
    StepFlops {
        forward: forward_flops(model, used.unwrap_or(active)),
        backward: 2.0 * forward_flops(model, active),
    }
}

/// FLOPs that the next round adds, per image of its batch: the gradients of the pairs that it scores.
pub(super) fn round_flops(model: &Model, round: &Round) -> f64 {
    let sparse = model.sparse();
    let layers = sparse.iter().enumerate();
    layers
        .map(|(l, layer)| 2.0 * layer.window.output_positions() as f64 * round.scored_pairs(l))
        .sum()
}

/// Fills in what a round's event says about the exploration.
pub(super) fn explored(round: &mut event::Round, layers: Vec<LayerStatistics>) {
    for (layer, seen) in round.layers.iter_mut().zip(layers) {
        layer.rank_correlation = seen.rank_correlation;
        layer.ever_active = Some(seen.ever_active);
        layer.dead_inputs = Some(seen.dead_inputs);
        layer.dead_outputs = Some(seen.dead_outputs);
    }
}

/// A round's report as an event.
pub(super) fn round(model: &Model, report: &RoundReport, step: u64) -> event::Round {
    let sparse = model.sparse();
    let layers = report.layers.iter().zip(&sparse).enumerate();
    event::Round {
        step,
        seconds: report.seconds,
        layers: layers
            .map(|(layer, (r, model))| event::RoundLayer {
                layer,
                name: model.name.clone(),
                active: r.active as u64,
                total: r.total as u64,
                candidates: r.candidates as u64,
                pruned: r.pruned as u64,
                grown: r.grown as u64,
                turnover: r.grown as f64 / r.active.max(1) as f64,
                grown_gradient: r.grown_gradient,
                pruned_magnitude: r.pruned_magnitude,
                ..event::RoundLayer::default()
            })
            .collect(),
    }
}
