//! The rows of a comparison of devices.

/// A figure of each report, where it has it.
pub(super) struct Row {
    /// The heading that it stands under.
    pub section: &'static str,
    /// The case.
    pub case: String,
    /// One value a report.
    pub values: Vec<Option<f64>>,
    /// Whether more is better.
    pub more_is_better: bool,
}

pub(super) const CEILINGS: &str = "ceilings";
pub(super) const PRODUCTS: &str = "products, GFLOP/s";
pub(super) const STEPS: &str = "training steps, ms";
pub(super) const ROUNDS: &str = "rounds, ms";
pub(super) const MEMORY: &str = "most bytes resident, MiB";
