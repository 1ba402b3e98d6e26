//! What is saved.

use super::objective::Objective;
use super::origin::Change;
use super::past::PastConnections;
use super::progress::Progress;
use crate::data::{DataRecord, LearnedImages};
use crate::network::NetworkState;

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
    /// What it went on with, in the order of its steps.
    pub changes: Vec<Change>,
    /// The images that it has learned from. None where that is not known: of samples that are no images, and in older
    /// checkpoints.
    pub learned_images: LearnedImages,
}
