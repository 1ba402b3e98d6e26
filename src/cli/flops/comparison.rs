//! The comparison: the counts of each method at each sparsity.

use rootlet::sparse::Assignment;
use serde::Serialize;

/// All counts.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    pub model: String,
    pub image: String,
    pub classes: usize,
    /// Connections of the dense model.
    pub dense_connections: u64,
    /// FLOPs of a step of the dense model.
    pub dense_step: f64,
    pub assignment: Assignment,
    pub gamma: f64,
    pub round_every: u64,
    pub until: f64,
    pub batch: u64,
    pub rows: Vec<Row>,
}

/// One sparsity.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    /// The sparsity that was asked for.
    pub sparsity: f64,
    pub connections: u64,
    pub methods: Vec<Counted>,
    /// FLOPs of the first method divided by those of the second; none if only one method is counted.
    pub ratio: Option<f64>,
    /// Why there are no counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// One method at one sparsity.
#[derive(Debug, Serialize)]
pub(super) struct Counted {
    pub method: String,
    /// Mean FLOPs of a step.
    pub step: f64,
    /// `step` divided by the FLOPs of a dense step.
    pub of_dense: f64,
    /// FLOPs spent before the first step.
    pub before: f64,
}

/// A share in percent, as it was typed: without the digits that binary fractions add.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e8).round() / 1e6)
}
