//! What is measured of a model.

use super::spread::Spread;
use super::stepper::Bytes;
use crate::engine::TimedBy;

/// A training step of a model on 32×32 colour images of 10 classes.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct ModelFigure {
    /// The model's name.
    pub model: String,
    /// Overall sparsity, as asked for.
    pub sparsity: f64,
    /// Members of the batch.
    pub batch: usize,
    /// Active connections.
    pub connections: usize,
    /// Median of a training step on a batch that is in place: forward, loss, backward, SGD with momentum.
    pub seconds: f64,
    /// How far the samples lie apart.
    pub seconds_spread: Spread,
    /// Median of what a round of gse-uniform adds to a step, its report's read-back included.
    pub round_seconds: f64,
    /// How far the samples lie apart.
    pub round_spread: Spread,
    /// What a round costs in training steps.
    pub round_in_steps: f64,
    /// Most bytes resident at once, by class.
    pub bytes: Bytes,
    /// Losses of the first two steps against those of the CPU executor, relative; none on that itself. The second
    /// step's loss depends on all of the first step's gradients.
    pub max_error: Option<f64>,
    /// Kernels, the costliest first, from steps whose dispatches were timed one by one. None where they do not explain
    /// the step.
    pub kernels: Vec<KernelTime>,
    /// By which clock the kernels were timed; the step's is the host's, over many steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernels_timed_by: Option<TimedBy>,
    /// Why it cannot be trusted, where it was kept all the same (`--keep-doubtful`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// What a kernel's dispatches of a step take together.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct KernelTime {
    /// Its name.
    pub kernel: String,
    /// Its dispatches.
    pub calls: usize,
    /// Bytes of all that they have bound, each dispatch's once.
    #[serde(default)]
    pub bytes: u64,
    /// Their time.
    pub seconds: f64,
    /// Share of the step's time.
    pub share: f64,
    /// Rate of the bytes that it must move at least: everything that it has bound, once.
    pub gb_s: f64,
}
