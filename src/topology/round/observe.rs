//! What a round records into the passes of a training step: sums behind f and g, and the candidates' scores.

use super::{Observes, Round, Scope, Work};
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::sparse::{Arena, Window};
use crate::topology::growth::ScoreInputs;
use crate::topology::record::{LayerTiles, record_layer};
use crate::topology::statistics::Statistics;

/// A layer in a pass that a round observes.
pub struct Observed<'a> {
    /// The arena that the round works on.
    pub arena: &'a Arena,
    /// Its index.
    pub layer: usize,
    /// Its input.
    pub activation: View,
    /// The gradient at its output.
    pub delta: View,
    /// Whether this is a further part of the batch.
    pub accumulate: bool,
}

impl Round {
    /// Records what a pass needs before its first layer.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn begin_pass(&self, plan: &mut Plan, observes: Observes) -> Result<()> {
        match (&self.work, observes) {
            (Some(work), Observes::Statistics) => {
                let positions = self.most_positions();
                self.statistics(work, false).signs(plan, positions)
            }
            _ => Ok(()),
        }
    }

    /// Records what a pass observes in one layer. Layers come in the order of the backward pass, from last to first.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn observe(&self, plan: &mut Plan, observes: Observes, layer: Observed<'_>) -> Result<()> {
        match (&self.work, observes) {
            (Some(work), Observes::Statistics) => self.sum(work, plan, layer),
            (Some(work), Observes::Scores) if self.growth.scores_by_step() => {
                self.score(work, plan, layer)
            }
            _ => Ok(()),
        }
    }

    /// Records the sums behind f and g.
    fn sum(&self, work: &Work, plan: &mut Plan, layer: Observed<'_>) -> Result<()> {
        let statistics = self.statistics(work, layer.accumulate);
        let (span, window) = (&self.spans[layer.layer], &self.windows[layer.layer]);
        let (inputs, outputs) = (work.scratch.inputs.all(), work.scratch.outputs.all());
        statistics.inputs(plan, span, window, layer.activation, inputs)?;
        statistics.outputs(plan, span, window, layer.delta, outputs)
    }

    fn statistics(&self, work: &Work, accumulate: bool) -> Statistics {
        Statistics {
            distribution: self.distribution(),
            lanes: self.lanes,
            step: self.step.clone(),
            signs: work.scratch.signs.all(),
            accumulate,
        }
    }

    /// Output positions of the layer that has the most.
    pub(super) fn most_positions(&self) -> usize {
        let positions = self.windows.iter().map(Window::output_positions);
        positions.max().unwrap_or(0)
    }

    /// Records the scores of the layer's candidates.
    ///
    /// If all inactive pairs are candidates, they are processed here, tile by tile, and the best are kept: 21
    /// dispatches per tile with the gradient as score. Scores of several parts of a batch cannot be added up without
    /// keeping them all, so nothing is recorded for a further part: only the first part scores.
    fn score(&self, work: &Work, plan: &mut Plan, observed: Observed<'_>) -> Result<()> {
        let Observed {
            arena,
            layer,
            activation,
            delta,
            accumulate,
        } = observed;
        let mut inputs = ScoreInputs {
            layer,
            span: self.spans[layer],
            window: self.windows[layer],
            arena,
            lanes: self.lanes,
            step: self.step.clone(),
            activation,
            delta,
            candidate_rows: work.sampled.candidates.keys.clone(),
            candidate_cols: work.sampled.candidates.values.clone(),
            candidate_offsets: work.scratch.candidate_offsets.all(),
            scores: work.sampled.scores.clone(),
            capacity: work.capacity,
            accumulate,
        };
        let Some(list) = &work.scratch.list else {
            return self.growth.score(&inputs, plan);
        };
        if accumulate {
            return Ok(());
        }
        inputs.candidate_rows = list.rows.all();
        inputs.candidate_cols = list.cols.all();
        inputs.scores = list.scores.all();
        inputs.capacity = list.slots;
        let own_segment = self.scope == Scope::Layer;
        let tiles = LayerTiles {
            arena,
            scratch: &work.scratch,
            list,
            capacity: work.capacity,
            layer,
            segment: if own_segment { layer } else { 0 },
            own_segment,
            behind: match own_segment {
                true => 0,
                false => (layer + 1..self.spans.len()).map(|l| self.pairs(l)).sum(),
            },
        };
        record_layer(&tiles, plan, &|plan| self.growth.score(&inputs, plan))
    }
}
