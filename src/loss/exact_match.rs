//! Whether a sample's classes were predicted exactly.

use super::elementwise::rows;
use super::{Comparison, Metric};
use crate::data::TargetKind;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, StepState};
use crate::error::Result;

/// The share of the samples whose outputs are above zero for exactly the classes that apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExactMatch;

impl Metric for ExactMatch {
    fn name(&self) -> &str {
        "exact-match"
    }

    fn higher_is_better(&self) -> bool {
        true
    }

    fn takes(&self, targets: TargetKind, outputs: usize) -> bool {
        targets == TargetKind::Flags(outputs)
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = ExactMatchScore {
            params: ExactMatchScoreParams {
                outputs: pass.outputs as u32,
                lanes: pass.lanes as u32,
            },
            step: pass.step.clone(),
            output: pass.output.clone(),
            targets: pass.targets.clone(),
            scores: pass.scores.clone(),
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))
    }
}

crate::kernel! {
    /// 1 for each sample of the batch whose outputs are above zero exactly where its targets are above a half;
    /// otherwise 0.
    ///
    /// Shapes: `output` and `targets` `[outputs][lanes]`, `scores` `[lanes]`; lanes from `step.count` on get zero.
    /// Grid: [`Items`](crate::engine::Grid::Items) = lanes.
    pub ExactMatchScore, ExactMatchScoreParams, ExactMatchScoreTwin =
        "loss/exact_match", shader!("loss/exact_match");
    params {
        /// Rows of `output`.
        outputs: u32,
        /// Lanes.
        lanes: u32,
    }
    loops |p, _| looped(p.outputs, NONE);
    uniform step: StepState,
    read output: f32,
    read targets: f32,
    write scores: f32,
}

impl ExactMatchScoreTwin<'_> {
    fn run(self) {
        let part = |_, y: f32, t: f32| f32::from(u8::from((y > 0.0) != (t > 0.5)));
        rows!(self).score(self.scores, part, |sum| f32::from(u8::from(sum == 0.0)));
    }
}
