//! What the outputs of a network are compared with: a class or some numbers a sample.

use std::fmt;

/// What each sample has to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// The number of its class.
    Labels,
    /// So many numbers.
    Values(usize),
}

impl TargetKind {
    /// Words a sample.
    pub fn words(self) -> usize {
        match self {
            TargetKind::Labels => 1,
            TargetKind::Values(count) => count,
        }
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetKind::Labels => f.write_str("a class"),
            TargetKind::Values(1) => f.write_str("1 number"),
            TargetKind::Values(count) => write!(f, "{count} numbers"),
        }
    }
}

/// The targets of several samples; whoever holds them says in which order they lie.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// A class each.
    Labels(Vec<u32>),
    /// As many numbers each.
    Values(Vec<f32>),
}

impl Targets {
    /// Zeros for so many samples.
    pub(crate) fn zeros(kind: TargetKind, samples: usize) -> Self {
        let words = kind.words() * samples;
        match kind {
            TargetKind::Labels => Targets::Labels(vec![0; words]),
            TargetKind::Values(_) => Targets::Values(vec![0.0; words]),
        }
    }
    /// Words in all.
    pub fn words(&self) -> usize {
        match self {
            Targets::Labels(labels) => labels.len(),
            Targets::Values(values) => values.len(),
        }
    }
}

impl From<Vec<u32>> for Targets {
    fn from(labels: Vec<u32>) -> Self {
        Targets::Labels(labels)
    }
}

impl From<Vec<f32>> for Targets {
    fn from(values: Vec<f32>) -> Self {
        Targets::Values(values)
    }
}
