//! What is measured of a training step.

use super::spread::Spread;
use super::stepper::Bytes;

/// A training step and a round of 3072-h-h-10, measured.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct StepFigure {
    /// The widths, such as "3072-4096-4096-10".
    pub model: String,
    /// Overall sparsity, as asked for.
    pub sparsity: f64,
    /// Members of the batch.
    pub batch: usize,
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
    /// Connections of all layers.
    pub connections: usize,
    /// Connections of each layer.
    pub layers: Vec<usize>,
    /// Most bytes resident at once, by class, with the round's work space.
    pub bytes: Bytes,
    /// Loss of the first step against the host's own in f64, relative.
    pub max_error: f64,
    /// Why it cannot be trusted, where it was kept all the same (`--keep-doubtful`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}
