//! The spread of a figure's samples.

/// The spread of the samples behind a median, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Spread {
    /// The smallest sample.
    pub min: f64,
    /// The lower quartile, interpolated between neighbours.
    pub q1: f64,
    /// The upper quartile.
    pub q3: f64,
    /// The largest sample.
    pub max: f64,
    /// Number of samples.
    pub samples: usize,
}
