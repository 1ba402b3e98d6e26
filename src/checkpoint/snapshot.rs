//! What is saved.

use super::objective::Objective;
use super::origin::Change;
use super::past::PastConnections;
use super::progress::Progress;
use crate::data::{DataRecord, ImageHashes};
use crate::network::NetworkState;

/// What is saved: the model with its optimiser state, and the progress.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// The layers and the norms, from the inputs to the outputs.
    pub state: NetworkState,
    /// How far the run has come.
    pub progress: Progress,
    /// What was explored, by layer; empty if that is not tracked, and in older checkpoints.
    pub past: Vec<PastConnections>,
    /// What the data are; none in older checkpoints.
    pub data: Option<DataRecord>,
    /// The loss and the metric.
    pub objective: Objective,
    /// What changed when the run was resumed, in the order of steps.
    pub changes: Vec<Change>,
    /// The images that it was trained on. None if that is not known: for samples that are not images, and in older
    /// checkpoints.
    pub learned_images: ImageHashes,
}
