//! The rows of a comparison of devices.

/// One figure from each report that has it.
pub(super) struct Row {
    /// The heading above it.
    pub section: &'static str,
    /// The case.
    pub case: String,
    /// One value per report.
    pub values: Vec<Option<f64>>,
    /// Whether larger is better.
    pub more_is_better: bool,
}

pub(super) const CEILINGS: &str = "ceilings";
pub(super) const PRODUCTS: &str = "products, GFLOP/s";
pub(super) const STEPS: &str = "training steps, ms";
pub(super) const ROUNDS: &str = "rounds, ms";
pub(super) const MEMORY: &str = "most bytes resident, MiB";
