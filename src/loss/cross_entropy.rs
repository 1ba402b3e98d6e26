//! Softmax and cross-entropy.

use std::any::Any;

use super::{Accuracy, Comparison, Loss, Metric};
use crate::data::TargetKind;
use crate::engine::{Grid, Plan};
use crate::error::Result;
use crate::layer::{SoftmaxCrossEntropy, SoftmaxCrossEntropyParams};

/// Cross-entropy of the outputs' softmax against a class, with label smoothing while it trains (Szegedy et al. 2016).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    /// Share of the target that is spread over all classes, 0 to 1.
    pub smoothing: f32,
}

impl Loss for CrossEntropy {
    fn name(&self) -> &'static str {
        "softmax-cross-entropy"
    }

    fn targets(&self, _: usize) -> TargetKind {
        TargetKind::Labels
    }

    fn finds(&self, metric: &dyn Metric) -> bool {
        let metric: &dyn Any = metric;
        metric.is::<Accuracy>()
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = SoftmaxCrossEntropy {
            params: SoftmaxCrossEntropyParams {
                classes: pass.outputs as u32,
                lanes: pass.lanes as u32,
                smoothing: if pass.training { self.smoothing } else { 0.0 },
            },
            step: pass.step.clone(),
            logits: pass.output.clone(),
            labels: pass.targets.clone(),
            delta: pass.delta.clone(),
            losses: pass.losses.clone(),
            correct: pass.scores.clone(),
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))
    }
}
