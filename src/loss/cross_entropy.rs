//! Softmax and cross-entropy.

use std::any::Any;

use super::{Accuracy, Comparison, Loss, Metric, MixLabels, MixLabelsParams};
use crate::bounds::{check, share};
use crate::data::TargetKind;
use crate::engine::{Grid, Plan, View};
use crate::error::Result;
use crate::layer::{
    CrossEntropyMetrics, CrossEntropyMetricsParams, SoftmaxCrossEntropy, SoftmaxCrossEntropyParams,
};

/// Cross-entropy of the outputs' softmax against a class, with label smoothing during training (Szegedy et al. 2016).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CrossEntropy {
    pub(crate) smoothing: f32,
}

impl CrossEntropy {
    /// `label_smoothing` is the share of the target that is spread evenly over all classes.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value): the share is outside [0, 1).
    pub fn new(label_smoothing: f64) -> Result<Self> {
        check(
            share(label_smoothing),
            "label_smoothing",
            "must be at least 0 and below 1",
            label_smoothing,
        )?;
        Ok(CrossEntropy {
            smoothing: label_smoothing as f32,
        })
    }

    /// Only training smoothes.
    fn smoothing_of(&self, pass: &Comparison<'_>) -> f32 {
        match pass.training {
            true => self.smoothing,
            false => 0.0,
        }
    }
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

    fn record_with_sums(
        &self,
        plan: &mut Plan,
        pass: &Comparison<'_>,
        ring: &View,
        slots: usize,
    ) -> Result<bool> {
        if pass.mixed.is_some() || pass.lanes > CrossEntropyMetrics::MOST_LANES {
            return Ok(false);
        }
        let kernel = CrossEntropyMetrics {
            params: CrossEntropyMetricsParams {
                classes: pass.outputs as u32,
                lanes: pass.lanes as u32,
                smoothing: self.smoothing_of(pass),
                slots: slots as u32,
            },
            step: pass.step.clone(),
            logits: pass.output.clone(),
            labels: pass.targets.clone(),
            delta: pass.delta.clone(),
            losses: pass.losses.clone(),
            correct: pass.scores.clone(),
            ring: ring.clone(),
        };
        plan.dispatch(kernel, Grid::Groups(1))?;
        Ok(true)
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = SoftmaxCrossEntropy {
            params: SoftmaxCrossEntropyParams {
                classes: pass.outputs as u32,
                lanes: pass.lanes as u32,
                smoothing: self.smoothing_of(pass),
            },
            step: pass.step.clone(),
            logits: pass.output.clone(),
            labels: pass.targets.clone(),
            delta: pass.delta.clone(),
            losses: pass.losses.clone(),
            correct: pass.scores.clone(),
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))?;
        let Some([others, shares]) = &pass.mixed else {
            return Ok(());
        };
        let kernel = MixLabels {
            params: MixLabelsParams {
                lanes: pass.lanes as u32,
                kept: 1.0 - self.smoothing_of(pass),
            },
            step: pass.step.clone(),
            logits: pass.output.clone(),
            labels: pass.targets.clone(),
            others: others.clone(),
            shares: shares.clone(),
            delta: pass.delta.clone(),
            losses: pass.losses.clone(),
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))
    }
}
