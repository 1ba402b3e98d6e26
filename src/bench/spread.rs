//! How far the samples of a figure lie apart.

/// How far the samples behind a median lie apart, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// A quarter of the samples lies below; interpolated between neighbours.
    pub q1: f64,
    /// A quarter of the samples lies above.
    pub q3: f64,
    /// The most.
    pub max: f64,
    /// Number of samples.
    pub samples: usize,
}
