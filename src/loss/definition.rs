//! What a loss is and what a metric is: one trait each.

use std::any::Any;
use std::fmt::Debug;

use super::comparison::Comparison;
use crate::data::TargetKind;
use crate::engine::{Plan, View};
use crate::error::Result;

/// What training minimises: from the outputs of a network and the targets of its samples, it computes a number for each
/// sample and the gradient at the outputs.
///
/// A loss is a description. It holds no memory: a network asks it what targets it takes, and lets it record its
/// dispatches.
pub trait Loss: Any + Debug + Send + Sync {
    /// Its name in messages and files: "softmax-cross-entropy".
    fn name(&self) -> &'static str;

    /// What it compares a sample's `outputs` with.
    fn targets(&self, outputs: usize) -> TargetKind;

    /// Whether its kernel also writes the scores of this metric, which then needs no separate dispatch.
    fn finds(&self, _metric: &dyn Metric) -> bool {
        false
    }

    /// Records the loss of each sample ([`Comparison::losses`]) and the gradient of their mean over the whole batch
    /// ([`Comparison::delta`]).
    ///
    /// # Errors
    /// The views do not fit.
    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()>;

    /// Records the same, and the sums of losses and scores as [`BatchMetrics`](crate::layer::BatchMetrics) does, in one
    /// dispatch with the same bits. The scores are those of a metric that it [finds](Loss::finds). Returns whether it
    /// has a kernel for that; if not, nothing is recorded. `ring` is `[slots][2]`.
    ///
    /// # Errors
    /// As [`record`](Loss::record).
    fn record_with_sums(
        &self,
        _plan: &mut Plan,
        _pass: &Comparison<'_>,
        _ring: &View,
        _slots: usize,
    ) -> Result<bool> {
        Ok(false)
    }
}

/// What a network is evaluated by: a score for each sample; the mean is reported.
pub trait Metric: Any + Debug + Send + Sync {
    /// Its name in messages and files: "accuracy".
    fn name(&self) -> &str;

    /// Whether a higher mean is better.
    fn higher_is_better(&self) -> bool;

    /// Whether it can compare a sample's `outputs` with such targets.
    fn takes(&self, targets: TargetKind, outputs: usize) -> bool;

    /// Records the score of each sample ([`Comparison::scores`]). It must not touch losses or gradients.
    ///
    /// # Errors
    /// The views do not fit.
    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()>;
}
