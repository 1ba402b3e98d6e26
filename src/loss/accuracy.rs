//! Accuracy.

use super::{Comparison, Metric};
use crate::data::TargetKind;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, StepState};
use crate::error::Result;

/// The share of the samples whose largest output is that of their class; among equal outputs the lowest class counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accuracy;

impl Metric for Accuracy {
    fn name(&self) -> &str {
        "accuracy"
    }

    fn higher_is_better(&self) -> bool {
        true
    }

    fn takes(&self, targets: TargetKind, _: usize) -> bool {
        targets == TargetKind::Labels
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = FoundClass {
            params: FoundClassParams {
                classes: pass.outputs as u32,
                lanes: pass.lanes as u32,
            },
            step: pass.step.clone(),
            logits: pass.output.clone(),
            labels: pass.targets.clone(),
            correct: pass.scores.clone(),
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))
    }
}

crate::kernel! {
    /// 1 for each sample whose largest logit is its label's, otherwise 0; for losses that do not [find it along the
    /// way](super::Loss::finds).
    ///
    /// Shapes: `logits` `[classes][lanes]`, `labels` and `correct` `[lanes]`; lanes from `step.count` on get zero.
    /// Grid: [`Items`](crate::engine::Grid::Items) = lanes.
    pub FoundClass, FoundClassParams, FoundClassTwin = "loss/found_class", shader!("loss/found_class");
    params {
        /// Rows of `logits`.
        classes: u32,
        /// Lanes.
        lanes: u32,
    }
    loops |p, _| looped(p.classes, NONE);
    uniform step: StepState,
    read logits: f32,
    read labels: u32,
    write correct: f32,
}

impl FoundClassTwin<'_> {
    fn run(self) {
        let FoundClassParams { classes, lanes } = self.params;
        let count = self.step.count.min(lanes) as usize;
        let logit = |class: u32, lane: usize| self.logits[(class * lanes) as usize + lane];
        for lane in 0..count {
            let better = |best, c| {
                if logit(c, lane) > logit(best, lane) {
                    c
                } else {
                    best
                }
            };
            let best = (1..classes).fold(0, better);
            self.correct[lane] = if best == self.labels[lane] { 1.0 } else { 0.0 };
        }
        self.correct[count..lanes as usize].fill(0.0);
    }
}
