//! What a run tells about itself while it goes. The trainer emits [`Event`]s and knows nothing of who listens;
//! consoles, tables and programs are [`Observer`]s. As JSON an event is one object whose `event` names its kind.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Result;
use crate::checkpoint::Change;
use crate::data::TestPart;

/// Listens to the events of a run. An error stops the run, for what cannot be recorded should not be computed.
///
/// Any closure `FnMut(&Event) -> Result<()>` is one.
pub trait Observer {
    /// Called for each event, in order, between two steps: what takes long here holds the training up.
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
    /// Everything is in place; the first step comes next.
    Started(Started),
    /// How far it is, a few times a second at most.
    Progress(Progress),
    /// A prune-and-grow round was done.
    Round(Round),
    /// An epoch was trained and evaluated.
    Epoch(Epoch),
    /// A checkpoint was written there.
    #[serde(serialize_with = "saved")]
    Saved(PathBuf),
    /// Something to know once, such as a layer clipped to dense.
    #[serde(serialize_with = "note")]
    Note(String),
    /// The run ended, by itself or by an interruption.
    Finished(Finished),
}

/// The network and the work ahead.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Started {
    /// What it runs on.
    pub adapter: String,
    /// The method's name.
    pub method: String,
    /// Whether only the active connections are resident; if not, the method by its nature holds dense weights for a
    /// while.
    pub always_sparse: bool,
    /// The model's name.
    pub model_name: String,
    /// Its sparse layers, first to last.
    pub model: Vec<LayerSummary>,
    /// Active connections of all layers.
    pub connections: u64,
    /// Connections that the dense model would have: the sum of n_in × n_out.
    pub dense: u64,
    /// True overall sparsity, 1 - connections / dense, which clipped layers move from the one asked for.
    pub sparsity: f64,
    /// Indices of the layers that were clipped to dense.
    pub clipped: Vec<usize>,
    /// Trained numbers: connections and biases.
    pub parameters: u64,
    /// Optimiser steps of the whole run, from its very start.
    pub steps_total: u64,
    /// Epochs of the whole run.
    pub epochs: u32,
    /// Optimiser steps in an epoch.
    pub steps_per_epoch: u64,
    /// Training images.
    pub train_images: usize,
    /// Test images.
    pub test_images: usize,
    /// Where these come from; none where an older version did not tell.
    pub test_part: Option<TestPart>,
    /// The run folder, if there is one.
    #[serde(serialize_with = "optional_path")]
    pub run: Option<PathBuf>,
    /// The step that a resumed run goes on from.
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
    /// active / (n_in × n_out): the layer's compression is its inverse.
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
    /// Epochs done, with the part of the current one.
    #[serde(deserialize_with = "number")]
    pub epoch: f64,
    /// Mean training loss since the last such event.
    #[serde(deserialize_with = "number")]
    pub loss: f32,
    /// Training accuracy since the last such event, 0 to 1; NaN, in JSON null, where accuracy is not the metric.
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
    /// Whether a higher one is better.
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
    /// Spearman's rank correlation of f × g with |g| over (a part of) the candidates; none where f and g are uniform,
    /// or the candidates fewer than three.
    pub rank_correlation: Option<f64>,
    /// Share of the possible connections that were active at some time so far: in-time over-parameterisation (Liu et
    /// al. 2021, "Do we actually need dense over-parameterization?").
    pub ever_active: Option<f64>,
    /// Input units without a connection.
    pub dead_inputs: Option<u64>,
    /// Output units without a connection.
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
    /// Training accuracy, 0 to 1, as seen during the epoch; NaN where accuracy is not the metric.
    pub train_accuracy: f32,
    /// Mean test loss.
    pub test_loss: f32,
    /// Test accuracy, 0 to 1, or NaN likewise.
    pub test_accuracy: f32,
    /// Another metric, as seen during the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub train_metric: Option<Score>,
    /// The same of the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_metric: Option<Score>,
    /// Seconds that this epoch took, evaluation included.
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
    /// Rounds done; none where an older version did not tell.
    pub rounds: Option<u64>,
    /// Mean test loss.
    #[serde(deserialize_with = "number")]
    pub test_loss: f32,
    /// Test accuracy, 0 to 1; NaN, in JSON null, where accuracy is not the metric.
    #[serde(deserialize_with = "number")]
    pub test_accuracy: f32,
    /// Another metric of the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_metric: Option<Score>,
    /// Seconds of training, over all parts of a resumed run, with what a method does before the first step.
    pub seconds: f64,
    /// Peak device bytes of each class of buffers.
    pub peak: Vec<(String, u64)>,
    /// Peak device bytes of all classes together.
    pub peak_total: u64,
    /// Device bytes of each class when all together were at their peak: they add up to it, which the peaks of the
    /// classes need not. Empty of older versions.
    pub at_peak: Vec<(String, u64)>,
    /// Resident bytes for weights, optimiser state and indices, per connection.
    #[serde(deserialize_with = "number")]
    pub bytes_per_connection: f64,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Where the time and the memory went since the run was started or resumed, in the order of a step; their seconds
    /// add up to that time.
    pub phases: Vec<Phase>,
    /// The sparse layers at the end.
    pub layers: Vec<LayerSummary>,
    /// Training FLOPs since the run's beginning as Evci et al. 2020 count them: steps, rounds, and what a method
    /// computes before the first step; no evaluations.
    pub train_flops: f64,
    /// Where the test images come from; none where an older version did not tell.
    pub test_part: Option<TestPart>,
    /// Of how many test images the network has learned; none where that is not known, and of a published set's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained_on: Option<u64>,
    /// What one must know not to misread the result, whole sentences.
    pub remarks: Vec<String>,
    /// What the run went on with and had not begun with.
    pub changes: Vec<Change>,
}

/// A part of the training's work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Phase {
    /// forward, backward, optimiser, round, data, evaluation, or other: checkpoints, reports, the host's own work.
    pub name: String,
    /// Seconds in all. Of forward, backward and optimiser: the median of the steps that were timed, times the number of
    /// steps, for each network that a method prunes to; held to the time that rounds and evaluations leave of the
    /// run's.
    pub seconds: f64,
    /// How many times it was timed.
    pub samples: u64,
    /// Device memory that its kernels touch, bytes: parts of the same memory that several phases use count in each.
    pub bytes: u64,
    /// Its floating-point operations in all, as Evci et al. 2020 count them; 0 for data and optimiser.
    pub flops: f64,
}

// Paths are shown, not opened again, so one that is not Unicode may lose a character rather than fail the run.
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

/// A number that JSON may have had to leave out: it has neither NaN nor infinity, and `null` in their place.
fn number<'de, D: Deserializer<'de>, T: Deserialize<'de> + From<f32>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Option::<T>::deserialize(deserializer)?;
    Ok(value.unwrap_or_else(|| T::from(f32::NAN)))
}
