//! What a run reports while it goes. The trainer emits [`Event`]s and does not know who listens; consoles, tables and
//! programs are [`Observer`]s. As JSON, an event is one object whose `event` names its kind.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Result;
use crate::checkpoint::{Best, Change};
use crate::data::{DataPart, Task, TestPart};

/// Listens to the events of a run. An error stops the run, because what cannot be recorded should not be computed.
///
/// Any closure `FnMut(&Event) -> Result<()>` is one.
pub trait Observer {
    /// Called for each event, in order, between two steps: anything slow here delays the training.
    fn event(&mut self, event: &Event) -> Result<()>;
}

impl<F: FnMut(&Event) -> Result<()>> Observer for F {
    fn event(&mut self, event: &Event) -> Result<()> {
        self(event)
    }
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Everything is ready; the first step comes next.
    Started(Started),
    /// The progress, at most a few times per second.
    Progress(Progress),
    /// A prune-and-grow round was done.
    Round(Round),
    /// An epoch was trained and evaluated.
    Epoch(Epoch),
    /// A checkpoint was written to this path.
    #[serde(serialize_with = "saved")]
    Saved(PathBuf),
    /// Something to report once, such as a layer clipped to dense.
    #[serde(serialize_with = "note")]
    Note(String),
    /// The run ended, by itself or because it was interrupted.
    Finished(Finished),
}

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

/// The mean of a metric that is not accuracy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Score {
    /// Its name.
    pub name: String,
    /// The mean over the samples.
    #[serde(deserialize_with = "number")]
    pub value: f32,
    /// Whether higher is better.
    pub higher_is_better: bool,
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

/// The results of a network on a part that nothing is learned from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Judged {
    /// Mean loss.
    #[serde(deserialize_with = "number")]
    pub loss: f32,
    /// Accuracy, 0 to 1; NaN, in JSON null, if accuracy is not the metric.
    #[serde(deserialize_with = "number")]
    pub accuracy: f32,
    /// Another metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Score>,
    /// Further scores of the whole part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
}

impl Judged {
    /// The metric, if it is not accuracy, and the further scores.
    pub fn all_scores(&self) -> impl Iterator<Item = &Score> {
        self.metric.iter().chain(&self.scores)
    }
}

impl Epoch {
    /// The evaluated part, and its results.
    pub fn judged(&self) -> (DataPart, Judged) {
        match &self.validation {
            Some(judged) => (DataPart::Validation, judged.clone()),
            None => (
                DataPart::Test,
                Judged {
                    loss: self.test_loss,
                    accuracy: self.test_accuracy,
                    metric: self.test_metric.clone(),
                    scores: self.test_scores.clone(),
                },
            ),
        }
    }
}

impl Finished {
    /// The results on the test part; NaN if nothing was tested.
    pub fn tested(&self) -> Judged {
        Judged {
            loss: self.test_loss,
            accuracy: self.test_accuracy,
            metric: self.test_metric.clone(),
            scores: self.test_scores.clone(),
        }
    }

    /// The part that the run's result belongs to, and its results: test, or validation if nothing was tested.
    pub fn result(&self) -> (DataPart, Judged) {
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
    pub validation: Option<Judged>,
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
    pub validation: Option<Judged>,
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

// Paths are shown and not opened again, so it is better that one that is not Unicode loses a character than that the
// run fails.
fn optional_path<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_deref()
        .map(Path::to_string_lossy)
        .serialize(serializer)
}

fn saved<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Saved<'a> {
        path: std::borrow::Cow<'a, str>,
    }
    let path = path.to_string_lossy();
    Saved { path }.serialize(serializer)
}

fn note<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Note<'a> {
        text: &'a str,
    }
    Note { text }.serialize(serializer)
}

/// A number that JSON may have left out: it has neither NaN nor infinity, but `null` instead.
fn number<'de, D: Deserializer<'de>, T: Deserialize<'de> + From<f32>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Option::<T>::deserialize(deserializer)?;
    Ok(value.unwrap_or_else(|| T::from(f32::NAN)))
}
