//! What a run reports between its beginning and its end.

use serde::{Deserialize, Serialize};

use super::results::{PartResults, Score, number};
use crate::data::DataPart;

/// How far a run is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// Optimiser steps done.
    pub step: u64,
    /// Optimiser steps of the whole run.
    pub steps_total: u64,
    /// Epochs done, including the fraction of the current one.
    #[serde(deserialize_with = "number")]
    pub epoch: f64,
    /// Mean training loss since the last such event.
    #[serde(deserialize_with = "number")]
    pub loss: f32,
    /// Training accuracy since the last such event, 0 to 1; NaN (in JSON null) if accuracy is not the metric.
    #[serde(deserialize_with = "number")]
    pub accuracy: f32,
    /// Another metric's mean since then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Score>,
    /// Training images per second.
    #[serde(deserialize_with = "number")]
    pub images_per_second: f64,
    /// Estimated seconds to the end.
    #[serde(deserialize_with = "number")]
    pub seconds_left: f64,
}

/// A prune-and-grow round.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Round {
    /// The optimiser step after which it took place.
    pub step: u64,
    /// Seconds that it took.
    pub seconds: f64,
    /// What it did to each layer.
    pub layers: Vec<RoundLayer>,
}

/// What a round did to one layer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RoundLayer {
    /// The layer's index.
    pub layer: usize,
    /// The layer's name.
    pub name: String,
    /// Active connections after the round.
    pub active: u64,
    /// Possible connections, n_in × n_out.
    pub total: u64,
    /// Distinct inactive pairs that were scored.
    pub candidates: u64,
    /// Connections removed.
    pub pruned: u64,
    /// Connections added.
    pub grown: u64,
    /// grown / active.
    pub turnover: f64,
    /// Mean |g| of the grown connections.
    pub grown_gradient: f32,
    /// Mean |theta| of the pruned connections.
    pub pruned_magnitude: f32,
    /// Spearman's rank correlation of f × g with |g| over (a part of) the candidates; none if f and g are uniform, or
    /// there are fewer than three candidates.
    pub rank_correlation: Option<f64>,
    /// Share of the possible connections that were active at some time so far: in-time over-parameterisation (Liu et
    /// al. 2021, "Do we actually need dense over-parameterization?").
    pub ever_active: Option<f64>,
    /// Input units without connections.
    pub dead_inputs: Option<u64>,
    /// Output units without connections.
    pub dead_outputs: Option<u64>,
}

/// An epoch's result.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Epoch {
    /// Counted from 1.
    pub epoch: u32,
    /// Optimiser steps done.
    pub step: u64,
    /// Learning rate of its last step.
    pub lr: f32,
    /// Mean training loss.
    pub train_loss: f32,
    /// Training accuracy during the epoch, 0 to 1; NaN if accuracy is not the metric.
    pub train_accuracy: f32,
    /// The results on the validation part, if there is one: then the test part is left for the end of the run, and its
    /// numbers here are NaN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<PartResults>,
    /// Mean test loss.
    pub test_loss: f32,
    /// Test accuracy, 0 to 1; NaN likewise.
    pub test_accuracy: f32,
    /// Another metric, during the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_metric: Option<Score>,
    /// The same for the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_metric: Option<Score>,
    /// Further scores of the whole test.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_scores: Vec<Score>,
    /// Seconds that this epoch took, including the evaluation.
    pub seconds: f64,
    /// Training images per second.
    pub images_per_second: f64,
}

impl Epoch {
    /// The evaluated part, and its results.
    pub fn monitored(&self) -> (DataPart, PartResults) {
        match &self.validation {
            Some(judged) => (DataPart::Validation, judged.clone()),
            None => (
                DataPart::Test,
                PartResults {
                    loss: self.test_loss,
                    accuracy: self.test_accuracy,
                    metric: self.test_metric.clone(),
                    scores: self.test_scores.clone(),
                },
            ),
        }
    }
}
