//! Checkpoints: everything a run needs to go on, in files that other programs can read.
//!
//! A checkpoint is a folder, `RUN/checkpoints/step-0000000123/`, with two files:
//! - `model.safetensors`: per layer `l` the tensors `layers.{l}.crow_indices`, `layers.{l}.col_indices` (I32, PyTorch's
//!   names for compressed sparse rows; a row is an output unit), `layers.{l}.values`, `layers.{l}.momentum`,
//!   `layers.{l}.bias` and `layers.{l}.bias_momentum` (F32); per norm `i` the tensors `norms.{i}.weight`, `norms.{i}.bias`,
//!   `norms.{i}.weight_momentum`, `norms.{i}.bias_momentum` and, of a batch norm, `norms.{i}.running_mean` and
//!   `norms.{i}.running_variance` (F32). Where a model has dense parameters in layers of other kinds, all that have some are
//!   in `parameters.{i}.{name}` and, of trained arrays, `parameters.{i}.{name}_momentum` instead. Of a method that keeps dense weights beside its network, per layer `reserve.{l}`
//!   (F32, `[n_out * n_in]`). Where a run follows what its rounds explore, also per layer the pairs that were active
//!   once and are not now, `layers.{l}.past_crow_indices` and `layers.{l}.past_col_indices` (I32).
//!
//!   The tensors `…momentum` are those of SGD. Another optimiser's arrays stand in their place, by the names that it gives them: F32, or
//!   U32 for counts.
//! - `manifest.json`: format, version, progress, the layers' and norms' sizes, the optimiser unless it is SGD, what the data were, the tensor file's bytes and
//!   CRC-32, the whole configuration, and a CRC-32 of the manifest itself.
//!
//! [`save()`] never touches a complete checkpoint before the next one is on the disk, so that a crash, a full disk or a kill
//! at any moment leaves one to go on from. [`load()`] believes no byte: whatever is in the files, it returns either exactly
//! what was saved or an [`Error::Checkpoint`](crate::Error::Checkpoint) that says what to do.

#[cfg(test)]
mod faults;
mod folder;
mod load;
mod manifest;
mod optimiser;
mod parameters;
mod past;
mod rules;
mod save;
mod tensors;

use crate::data::DataRecord;
use crate::loss::{Accuracy, CrossEntropy, Loss, Metric};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

pub use crate::layer::{ParameterArray, ParameterState};
pub use crate::network::NetworkState;
pub use crate::sparse::LayerState;
pub(crate) use folder::is_file_of_one;
pub use load::load;
pub(crate) use load::newest_manifest;
pub use manifest::{FORMAT, LayerShape, Manifest, TensorFile};
pub use optimiser::{NumberType, OptimiserShape, StateShape};
pub use parameters::{ArrayShape, NormKind, NormShape, ParameterShape};
pub use save::save;

pub(crate) use manifest::fuzz as fuzz_manifest;
pub(crate) use tensors::fuzz as fuzz_tensors;

/// How far a run has come, with the running sums of the epoch it is in.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Optimiser steps done.
    pub step: u64,
    /// Epochs completed.
    pub epoch: u32,
    /// Batches done in the epoch under way.
    pub batch: u64,
    /// Sum of the losses over the samples of the epoch under way.
    #[serde(with = "manifest::exact")]
    pub loss_sum: f64,
    /// Sum of the metric's scores over the samples of the epoch under way: of accuracy, those that were classified correctly.
    #[serde(rename = "correct", with = "manifest::whole_or_exact")]
    pub score_sum: f64,
    /// Samples of the epoch under way that were trained on.
    pub seen: u64,
    /// Prune-and-grow rounds done.
    pub rounds: u64,
    /// Seconds spent on training, those before a resume included.
    #[serde(with = "manifest::exact")]
    pub seconds: f64,
    /// Training FLOPs since the run's beginning; in checkpoints of versions that did not count them, since the first that did.
    #[serde(default, with = "manifest::exact")]
    pub train_flops: f64,
}

/// Connections of a layer that were active once and are not now, as compressed sparse rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastConnections {
    /// `[n_out + 1]`: row b's are `crow_indices[b]..crow_indices[b + 1]`.
    pub crow_indices: Vec<u32>,
    /// Their input units, rising within a row.
    pub col_indices: Vec<u32>,
}

/// What a network is trained and evaluated by, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// The loss.
    pub loss: String,
    /// The metric, if there is one.
    pub metric: Option<String>,
}

impl Default for Objective {
    fn default() -> Self {
        Objective {
            loss: CrossEntropy::default().name().to_owned(),
            metric: Some(Accuracy.name().to_owned()),
        }
    }
}

impl Objective {
    /// Whether it is that of a run of the command.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the loss {}", self.loss)?;
        match &self.metric {
            Some(metric) => write!(f, " and the metric {metric}"),
            None => f.write_str(" and no metric"),
        }
    }
}

/// What is saved: the model with its optimiser state, and the progress.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The layers and the norms, from the inputs to the outputs.
    pub state: NetworkState,
    /// How far the run has come.
    pub progress: Progress,
    /// By layer, what was explored; nothing where that is not followed, and in older checkpoints.
    pub past: Vec<PastConnections>,
    /// What the data are; none in older checkpoints.
    pub data: Option<DataRecord>,
    /// What it was trained and evaluated by.
    pub objective: Objective,
}

/// What [`load()`] returns.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// The model and the progress, bit for bit as saved.
    pub snapshot: Snapshot,
    /// The rest of the manifest, the configuration among it.
    pub manifest: Manifest,
    /// The folder that was read.
    pub path: PathBuf,
    /// Set when newer checkpoints of the run are damaged and this is an earlier one: a sentence for the user.
    pub note: Option<String>,
}

/// A check's outcome: the error is the reason alone. Whoever knows the path and the way out turns it into an
/// [`Error`](crate::Error).
type Checked<T> = Result<T, String>;
