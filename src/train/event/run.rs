//! The beginning and the end of a run.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, Serializer};

use super::results::{PartResults, Score, number};
use crate::Result;
use crate::checkpoint::{Best, Change};
use crate::data::{DataPart, Task, TestPart};

/// The network and the work ahead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Started {
    /// What the run is on.
    pub adapter: String,
    /// The method's name.
    pub method: String,
    /// Whether only the active connections are resident; if not, the method by its nature holds dense weights for a
    /// while.
    pub always_sparse: bool,
    /// What it learns to predict for a sample; `None` if an older version did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// The name of the loss.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub loss: String,
    /// The model's name.
    pub model_name: String,
    /// Its sparse layers, first to last.
    pub model: Vec<LayerSummary>,
    /// Active connections of all layers.
    pub connections: u64,
    /// Connections that the dense model would have: the sum of n_in × n_out.
    pub dense: u64,
    /// True overall sparsity, 1 - connections / dense; clipped layers make it differ from the one requested.
    pub sparsity: f64,
    /// Indices of the layers that were clipped to dense.
    pub clipped: Vec<usize>,
    /// Number of trained values: connections and biases.
    pub parameters: u64,
    /// FLOPs of a training step of the dense model for one image, counted like Evci et al. 2020; 0 if an older version
    /// did not report it.
    pub dense_flops: f64,
    /// Optimiser steps of the whole run, from its very start.
    pub steps_total: u64,
    /// Epochs of the whole run.
    pub epochs: u32,
    /// Optimiser steps in an epoch.
    pub steps_per_epoch: u64,
    /// The maximum number of bytes that the device has held so far, by class; rounds and steps need no more.
    pub memory: Vec<(String, u64)>,
    /// Whether samples are rows of a table rather than images.
    pub rows: bool,
    /// Training images or rows.
    pub train_images: usize,
    /// Validation images or rows.
    pub validation_images: usize,
    /// Where these come from; `None` if there are none.
    pub validation_part: Option<TestPart>,
    /// Test images or rows.
    pub test_images: usize,
    /// Where these come from; none if an older version did not report it.
    pub test_part: Option<TestPart>,
    /// The run folder, if there is one.
    #[serde(serialize_with = "optional_path")]
    pub run: Option<PathBuf>,
    /// The step that a resumed run continues from.
    pub resumed_at: Option<u64>,
}

/// One layer of the network.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LayerSummary {
    /// Its name.
    pub name: String,
    /// Input units.
    pub n_in: usize,
    /// Output units.
    pub n_out: usize,
    /// Active connections.
    pub active: u64,
    /// active / (n_in × n_out), the inverse of the layer's compression.
    pub density: f64,
}

/// The end of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Finished {
    /// Optimiser steps done.
    pub step: u64,
    /// Whole epochs done.
    pub epochs: u32,
    /// Rounds done; none if an older version did not report it.
    pub rounds: Option<u64>,
    /// The results on the validation part, if there is one. If the run came to its end, these numbers and those of the
    /// test belong to the best weights, if there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation: Option<PartResults>,
    /// Where the validation images come from; `None` if there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub validation_part: Option<TestPart>,
    /// The weights that the numbers belong to, if the validation part chose them; otherwise they are the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Best>,
    /// Mean test loss; NaN, in JSON null, if nothing was tested.
    #[serde(deserialize_with = "number")]
    pub test_loss: f32,
    /// Test accuracy, 0 to 1; NaN (in JSON null) if accuracy is not the metric.
    #[serde(deserialize_with = "number")]
    pub test_accuracy: f32,
    /// Another metric of the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_metric: Option<Score>,
    /// Further scores of the whole test.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_scores: Vec<Score>,
    /// Seconds of training, over all parts of a resumed run, including what a method does before the first step.
    pub seconds: f64,
    /// Peak device bytes of each class of buffers.
    pub peak: Vec<(String, u64)>,
    /// Peak device bytes of all classes together.
    pub peak_total: u64,
    /// Device bytes of each class when all together were at their peak: unlike the peaks of the classes, they add up to
    /// it. Empty in older versions.
    pub at_peak: Vec<(String, u64)>,
    /// Resident bytes for weights, optimiser state and indices, per connection.
    #[serde(deserialize_with = "number")]
    pub bytes_per_connection: f64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Where the time and the memory went since the run was started or resumed, in the order of a step; the seconds add
    /// up to that time.
    pub phases: Vec<Phase>,
    /// The sparse layers at the end.
    pub layers: Vec<LayerSummary>,
    /// Training FLOPs since the run's beginning, counted like Evci et al. 2020: steps, rounds, and what a method
    /// computes before the first step, but no evaluations.
    pub train_flops: f64,
    /// Where the test images come from; none if an older version did not report it.
    pub test_part: Option<TestPart>,
    /// How many of the test images (without a test part, of the validation images) the network was trained on; `None`
    /// if that is not known, and for those of a published set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained_on: Option<u64>,
    /// What one must know not to misread the result, in whole sentences.
    pub remarks: Vec<String>,
    /// What changed when the run was resumed.
    pub changes: Vec<Change>,
}

/// A part of the training's work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phase {
    /// forward, backward, optimiser, round, data, evaluation, or other: checkpoints, reports, the host's own work.
    pub name: String,
    /// Total seconds. For forward, backward and optimiser: the median of the timed steps times the number of steps, for
    /// each network that a method prunes to, limited to the time that rounds and evaluations leave.
    pub seconds: f64,
    /// How many times it was timed.
    pub samples: u64,
    /// Bytes of device memory that its kernels touch; memory that several phases share counts in each.
    pub bytes: u64,
    /// Its total floating-point operations, counted like Evci et al. 2020; 0 for data and optimiser.
    pub flops: f64,
}

impl Finished {
    /// The results on the test part; NaN if nothing was tested.
    pub fn tested(&self) -> PartResults {
        PartResults {
            loss: self.test_loss,
            accuracy: self.test_accuracy,
            metric: self.test_metric.clone(),
            scores: self.test_scores.clone(),
        }
    }

    /// The part that the run's result belongs to, and its results: test, or validation if nothing was tested.
    pub fn result(&self) -> (DataPart, PartResults) {
        match (&self.validation, self.test_loss.is_nan()) {
            (Some(judged), true) => (DataPart::Validation, judged.clone()),
            _ => (DataPart::Test, self.tested()),
        }
    }

    /// Where the images of that part come from.
    pub fn result_part(&self) -> Option<&TestPart> {
        match self.result() {
            (DataPart::Validation, _) => self.validation_part.as_ref(),
            (DataPart::Test, _) => self.test_part.as_ref(),
        }
    }
}

// As in `observer.rs`: a path is shown and not opened again.
fn optional_path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_deref()
        .map(Path::to_string_lossy)
        .serialize(serializer)
}
