//! The figures of a model.

use super::spread::Spread;
use crate::bench::Bytes;
use crate::engine::TimedBy;

/// A training step of a model on 32×32 colour images of 10 classes.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct ModelFigure {
    /// The model's name.
    pub model: String,
    /// Overall sparsity, as asked for.
    pub sparsity: f64,
    /// Batch size.
    pub batch: usize,
    /// Active connections.
    pub connections: usize,
    /// Median time of a training step on a batch that is in place: forward, loss, backward, SGD with momentum.
    pub seconds: f64,
    /// Spread of the samples.
    pub seconds_spread: Spread,
    /// Median time that a round of gse-uniform adds to a step, including the read-back of its report.
    pub round_seconds: f64,
    /// Spread of the samples.
    pub round_spread: Spread,
    /// The cost of a round in training steps.
    pub round_in_steps: f64,
    /// Most bytes resident at once, by class.
    pub bytes: Bytes,
    /// Losses of the first two steps compared with the CPU executor's, relative; none on the CPU executor itself. The
    /// second step's loss depends on all gradients of the first.
    pub max_error: Option<f64>,
    /// The kernels, most expensive first, from steps whose dispatches were timed one by one. Empty if they do not
    /// explain the step.
    pub kernels: Vec<KernelTime>,
    /// The clock for the kernels; the step is timed by the host's clock over many steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernels_timed_by: Option<TimedBy>,
    /// Why it cannot be trusted, if it was kept nevertheless (`--keep-doubtful`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// The total of a kernel's dispatches in a step.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct KernelTime {
    /// The kernel's name.
    pub kernel: String,
    /// The number of dispatches.
    pub calls: usize,
    /// Bytes of everything that they bind, each dispatch counted once.
    #[serde(default)]
    pub bytes: u64,
    /// Their total time.
    pub seconds: f64,
    /// Share of the step's time.
    pub share: f64,
    /// Rate of the bytes that it must move at least: everything that it binds, once.
    pub gb_s: f64,
}
