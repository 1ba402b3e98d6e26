//! How many of a sample's first few classes apply.

use super::{Comparison, Metric};
use crate::data::TargetKind;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, StepState};
use crate::error::Result;

/// The share that applies of the `k` classes with a sample's largest outputs (P@k); among equal outputs the lower
/// classes come first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrecisionAt {
    k: u32,
    name: String,
}

impl PrecisionAt {
    /// For the `k` largest outputs, at least 1.
    pub fn new(k: u32) -> Self {
        let k = k.max(1);
        PrecisionAt {
            k,
            name: format!("P@{k}"),
        }
    }
}

impl Metric for PrecisionAt {
    fn name(&self) -> &str {
        &self.name
    }

    fn higher_is_better(&self) -> bool {
        true
    }

    fn takes(&self, targets: TargetKind, outputs: usize) -> bool {
        targets == TargetKind::Flags(outputs) && self.k as usize <= outputs
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = PrecisionAtScore {
            params: PrecisionAtScoreParams {
                classes: pass.outputs as u32,
                lanes: pass.lanes as u32,
                k: self.k,
            },
            step: pass.step.clone(),
            logits: pass.output.clone(),
            applies: pass.targets.clone(),
            scores: pass.scores.clone(),
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))
    }
}

crate::kernel! {
    /// For each sample of the batch, the share of its `k` first classes that apply: those whose target is above a half.
    ///
    /// Shapes: `logits` and `applies` `[classes][lanes]`, `scores` `[lanes]`; lanes from `step.count` on get zero.
    /// Grid: [`Items`](crate::engine::Grid::Items) = lanes.
    pub PrecisionAtScore, PrecisionAtScoreParams, PrecisionAtScoreTwin =
        "loss/precision_at", shader!("loss/precision_at");
    params {
        /// Rows of `logits`.
        classes: u32,
        /// Lanes.
        lanes: u32,
        /// How many classes are predicted, at most all.
        k: u32,
    }
    loops |p, _| looped(p.k, looped(p.classes, NONE));
    uniform step: StepState,
    read logits: f32,
    read applies: f32,
    write scores: f32,
}

impl PrecisionAtScoreTwin<'_> {
    fn run(self) {
        let PrecisionAtScoreParams { classes, lanes, k } = self.params;
        let count = self.step.count.min(lanes) as usize;
        let place = |class: u32, lane: usize| (class * lanes) as usize + lane;
        for lane in 0..count {
            let logit = |class: u32| self.logits[place(class, lane)];
            let mut last = None;
            let mut found = 0.0;
            for _ in 0..k {
                let is_left = |&c: &u32| match last {
                    None => true,
                    Some(last) => {
                        let (z, lowest) = (logit(c), logit(last));
                        z < lowest || (z == lowest && c > last)
                    }
                };
                let left = (0..classes).filter(is_left);
                let Some(best) = left.reduce(|best, c| match logit(c) > logit(best) {
                    true => c,
                    false => best,
                }) else {
                    continue;
                };
                if self.applies[place(best, lane)] > 0.5 {
                    found += 1.0;
                }
                last = Some(best);
            }
            self.scores[lane] = found / k as f32;
        }
        self.scores[count..lanes as usize].fill(0.0);
    }
}
