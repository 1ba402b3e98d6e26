//! What a round records into the passes of a training step: sums behind f and g, and the candidates' scores.

use super::{Look, Round, Scope, Work};
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::sparse::{Arena, Window};
use crate::topology::growth::ScoreInputs;
use crate::topology::method::Method;
use crate::topology::record::{LayerTiles, record_layer};
use crate::topology::statistics::Statistics;

impl Round {
    /// Records the sums behind f and g of one layer, from its input and the gradient at its output. `accumulate`: a
    /// further part of the batch.
    ///
    /// # Errors
    /// Views that do not fit.
    pub fn record_statistics(
        &self,
        plan: &mut Plan,
        layer: usize,
        activation: View,
        delta: View,
        accumulate: bool,
    ) -> Result<()> {
        let (Some(work), true) = (&self.work, self.records(Look::Statistics)) else {
            return Ok(());
        };
        let statistics = self.statistics(work, accumulate);
        let (span, window) = (&self.spans[layer], &self.windows[layer]);
        let (inputs, outputs) = (work.scratch.inputs.all(), work.scratch.outputs.all());
        statistics.inputs(plan, span, window, activation, inputs)?;
        statistics.outputs(plan, span, window, delta, outputs)
    }

    fn statistics(&self, work: &Work, accumulate: bool) -> Statistics {
        Statistics {
            distribution: self.distribution(),
            stride: self.stride,
            step: self.step.clone(),
            signs: work.scratch.signs.all(),
            accumulate,
        }
    }

    /// Records the signs that [`Round::record_statistics`] needs: once, at the start of the pass.
    ///
    /// # Errors
    /// Views that do not fit.
    pub fn record_signs(&self, plan: &mut Plan) -> Result<()> {
        match &self.work {
            Some(work) => self
                .statistics(work, false)
                .signs(plan, self.most_positions()),
            None => Ok(()),
        }
    }

    /// Output positions of the layer that has most.
    pub(super) fn most_positions(&self) -> usize {
        let positions = self.windows.iter().map(Window::output_positions);
        positions.max().unwrap_or(0)
    }

    /// Records the scores of one layer's candidates by `method`, which must be that of the round. `accumulate`: a
    /// further part of the batch. Layers come in the order of the backward pass, from the last to the first.
    ///
    /// Where all inactive pairs are candidates, they are gone through here, tile by tile, and the best are kept: 21 dispatches a
    /// tile with the gradient as score. Scores of several parts of a batch cannot be added up without keeping all, so
    /// nothing is recorded for a further part: the first one alone judges.
    ///
    /// # Errors
    /// Views that do not fit.
    #[allow(clippy::too_many_arguments)]
    pub fn record_scores(
        &self,
        plan: &mut Plan,
        method: &dyn Method,
        arena: &Arena,
        layer: usize,
        activation: View,
        delta: View,
        accumulate: bool,
    ) -> Result<()> {
        let (Some(work), true) = (&self.work, self.records(Look::Scores)) else {
            return Ok(());
        };
        let mut inputs = ScoreInputs {
            layer,
            span: self.spans[layer],
            window: self.windows[layer],
            arena,
            stride: self.stride,
            step: self.step.clone(),
            activation,
            delta,
            candidate_rows: work.drawn.candidates.keys.clone(),
            candidate_cols: work.drawn.candidates.values.clone(),
            candidate_offsets: work.scratch.candidate_offsets.all(),
            scores: work.drawn.scores.clone(),
            capacity: work.capacity,
            accumulate,
        };
        let Some(list) = &work.scratch.list else {
            return method.growth().score(&inputs, plan);
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
        };
        record_layer(&tiles, plan, &|plan| method.growth().score(&inputs, plan))
    }
}
