//! The figures of a training step.

use super::spread::Spread;
use crate::bench::Bytes;

/// A measured training step and round of 3072-h-h-10.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct StepFigure {
    /// The widths, such as "3072-4096-4096-10".
    pub model: String,
    /// Overall sparsity, as asked for.
    pub sparsity: f64,
    /// Batch size.
    pub batch: usize,
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
    /// Connections of all layers.
    pub connections: usize,
    /// Connections of each layer.
    pub layers: Vec<usize>,
    /// Most bytes resident at once, by class, including the round's work space.
    pub bytes: Bytes,
    /// Loss of the first step compared with the host's own in f64, relative.
    pub max_error: f64,
    /// Why it cannot be trusted, if it was kept nevertheless (`--keep-doubtful`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}
