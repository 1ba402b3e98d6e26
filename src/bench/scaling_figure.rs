//! What is measured of the growth with the width.

use super::spread::Spread;

/// One width of the scaling part.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct ScalingFigure {
    /// Units of every layer but the last.
    pub n: usize,
    /// Connections of all layers.
    pub connections: usize,
    /// Median of a training step.
    pub step_seconds: f64,
    /// How far the samples lie apart.
    pub step_spread: Spread,
    /// Median of a round.
    pub round_seconds: f64,
    /// How far the samples lie apart.
    pub round_spread: Spread,
    /// Most bytes resident at once, all classes.
    pub resident_bytes: u64,
    /// Why it cannot be trusted, where it was kept all the same (`--keep-doubtful`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// Exponents e of `c · n^e`, fitted by least squares on the logarithms.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct Exponents {
    /// Of a step's seconds.
    pub step_seconds: f64,
    /// Of a round's seconds.
    pub round_seconds: f64,
    /// Of the resident bytes.
    pub resident_bytes: f64,
}
