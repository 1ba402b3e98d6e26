//! How far a run has come.

use super::best::Best;
use super::origin::Tested;
use super::sums::{exact, whole_or_exact};
use serde::{Deserialize, Serialize};

/// How far a run has come, with the running sums of the current epoch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimiser steps done.
    pub step: u64,
    /// Epochs completed.
    pub epoch: u32,
    /// Batches done in the current epoch.
    pub batch: u64,
    /// Sum of the losses over the samples of the current epoch.
    #[serde(with = "exact")]
    pub loss_sum: f64,
    /// Sum of the metric's scores over the samples of the current epoch; for accuracy, the number of samples classified
    /// correctly.
    #[serde(rename = "correct", with = "whole_or_exact")]
    pub score_sum: f64,
    /// Number of samples that the current epoch has trained on.
    pub seen: u64,
    /// Prune-and-grow rounds done.
    pub rounds: u64,
    /// Seconds spent on training, including those before a resume.
    #[serde(with = "exact")]
    pub seconds: f64,
    /// Training FLOPs since the beginning of the run; if versions that did not count them began it, since the first
    /// that did.
    #[serde(default, with = "exact")]
    pub train_flops: f64,
    /// The last test at the end of an epoch; none before the first, and in checkpoints of versions that did not record
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested: Option<Tested>,
    /// The best weights so far; `None` without a validation part, and in checkpoints of versions that kept none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
}
