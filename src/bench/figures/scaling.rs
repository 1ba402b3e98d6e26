//! The figures of the growth with the width.

use super::spread::Spread;

/// One width of the scaling part.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct ScalingFigure {
    /// Units of every layer except the last.
    pub n: usize,
    /// Connections of all layers.
    pub connections: usize,
    /// Median time of a training step.
    pub step_seconds: f64,
    /// Spread of the samples.
    pub step_spread: Spread,
    /// Median time of a round.
    pub round_seconds: f64,
    /// Spread of the samples.
    pub round_spread: Spread,
    /// Most bytes resident at once, in all classes.
    pub resident_bytes: u64,
    /// Why it cannot be trusted, if it was kept nevertheless (`--keep-doubtful`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// Exponents e of `c · n^e`, fitted by least squares on the logarithms.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Exponents {
    /// For a step's seconds.
    pub step_seconds: f64,
    /// For a round's seconds.
    pub round_seconds: f64,
    /// For the resident bytes.
    pub resident_bytes: f64,
}
