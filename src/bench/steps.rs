//! One training step and one prune-and-grow round of a whole network, and how both grow with its width.

use std::collections::BTreeMap;

use super::{BenchOptions, Finding};
use crate::error::Result;

/// A training step and a round of 3072-h-h-10, measured.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StepFigure {
    /// The widths, such as "3072-4096-4096-10".
    pub model: String,
    /// Overall sparsity, as asked for.
    pub sparsity: f64,
    /// Members of the batch.
    pub batch: usize,
    /// Median of a training step: forward, loss, backward, optimiser.
    pub seconds: f64,
    /// Median of a round.
    pub round_seconds: f64,
    /// What a round costs in training steps.
    pub round_in_steps: f64,
    /// Connections of all layers.
    pub connections: usize,
    /// Connections of each layer.
    pub layers: Vec<u64>,
    /// Most bytes resident at once, by class.
    pub bytes: BTreeMap<&'static str, u64>,
}

/// One width of the scaling part.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ScalingFigure {
    /// Units of each layer.
    pub n: usize,
    /// Connections of all layers.
    pub connections: usize,
    /// Median of a training step.
    pub step_seconds: f64,
    /// Median of a round.
    pub round_seconds: f64,
    /// Most bytes resident at once, all classes.
    pub resident_bytes: u64,
}

/// Exponents e of `c · n^e`, fitted by least squares on the logarithms.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Exponents {
    /// Of a step's seconds.
    pub step_seconds: f64,
    /// Of a round's seconds.
    pub round_seconds: f64,
    /// Of the resident bytes.
    pub resident_bytes: f64,
}

pub(super) fn measure(
    _options: &BenchOptions,
    _observe: &mut dyn FnMut(Finding<'_>),
) -> Result<Vec<StepFigure>> {
    Ok(Vec::new())
}

pub(super) fn scaling(
    _options: &BenchOptions,
    _observe: &mut dyn FnMut(Finding<'_>),
) -> Result<(Vec<ScalingFigure>, Option<Exponents>)> {
    Ok((Vec::new(), None))
}
