//! Whether a sample's class is among the first few.

use super::{Comparison, Metric};
use crate::data::TargetKind;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, StepState};
use crate::error::Result;

/// The share of the samples whose class has one of the `k` largest outputs; among equal outputs the lower classes come
/// first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopK {
    k: u32,
    name: String,
}

impl TopK {
    /// For the `k` largest outputs; 1 is accuracy.
    pub fn new(k: u32) -> Self {
        TopK {
            k,
            name: format!("top-{k}"),
        }
    }
}

impl Metric for TopK {
    fn name(&self) -> &str {
        &self.name
    }

    fn higher_is_better(&self) -> bool {
        true
    }

    fn takes(&self, targets: TargetKind, _: usize) -> bool {
        targets == TargetKind::Labels
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = TopKScore {
            params: TopKScoreParams {
                classes: pass.outputs as u32,
                lanes: pass.lanes as u32,
                k: self.k,
            },
            step: pass.step.clone(),
            logits: pass.output.clone(),
            labels: pass.targets.clone(),
            scores: pass.scores.clone(),
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))
    }
}

crate::kernel! {
    /// 1 for each sample for which fewer than `k` classes come before its label, otherwise 0.
    ///
    /// Shapes: `logits` `[classes][lanes]`, `labels` and `scores` `[lanes]`; lanes from `step.count` on get zero.
    /// Grid: [`Items`](crate::engine::Grid::Items) = lanes.
    pub TopKScore, TopKScoreParams, TopKScoreTwin = "loss/top_k", shader!("loss/top_k");
    params {
        /// Rows of `logits`.
        classes: u32,
        /// Lanes.
        lanes: u32,
        /// How many classes may be predicted.
        k: u32,
    }
    loops |p, _| looped(p.classes, NONE);
    uniform step: StepState,
    read logits: f32,
    read labels: u32,
    write scores: f32,
}

impl TopKScoreTwin<'_> {
    fn run(self) {
        let TopKScoreParams { classes, lanes, k } = self.params;
        let count = self.step.count.min(lanes) as usize;
        let logit = |class: u32, lane: usize| self.logits[(class * lanes) as usize + lane];
        for lane in 0..count {
            let label = self.labels[lane];
            let own = logit(label, lane);
            let comes_before = |&c: &u32| {
                let z = logit(c, lane);
                z > own || (z == own && c < label)
            };
            let before = (0..classes).filter(comes_before).count();
            self.scores[lane] = f32::from(u8::from(before < k as usize));
        }
        self.scores[count..lanes as usize].fill(0.0);
    }
}
