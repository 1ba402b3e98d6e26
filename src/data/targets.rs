//! What the outputs of a network are compared with: a class, classes that apply or not, or some numbers a sample.

use std::fmt;

use crate::error::{Error, Misfit, Result};

/// What each sample has to be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// The number of its class.
    Labels,
    /// Of so many classes whether each applies: 1 or 0, or a share between them.
    Flags(usize),
    /// So many numbers.
    Values(usize),
}

impl TargetKind {
    /// Words a sample.
    pub fn words(self) -> usize {
        match self {
            TargetKind::Labels => 1,
            TargetKind::Flags(count) | TargetKind::Values(count) => count,
        }
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TargetKind::Labels => f.write_str("a class"),
            TargetKind::Flags(count) => write!(f, "{count} classes that apply or not"),
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
    /// As many classes each, 1 where it applies and 0 where not.
    Flags(Vec<f32>),
    /// As many numbers each.
    Values(Vec<f32>),
}

impl Targets {
    /// Zeros for so many samples.
    pub(crate) fn zeros(kind: TargetKind, samples: usize) -> Self {
        let words = kind.words() * samples;
        match kind {
            TargetKind::Labels => Targets::Labels(vec![0; words]),
            TargetKind::Flags(_) => Targets::Flags(vec![0.0; words]),
            TargetKind::Values(_) => Targets::Values(vec![0.0; words]),
        }
    }

    /// Of samples with these classes, of so many, whether each applies, `[sample][class]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a class that is not below `classes`.
    pub fn flags(classes: usize, samples: &[Vec<u32>]) -> Result<Self> {
        let mut flags = vec![0.0; classes * samples.len()];
        for (sample, own) in samples.iter().enumerate() {
            for &class in own {
                if class as usize >= classes {
                    return Err(Error::Shape(Misfit::Other(format!(
                        "class {class} of sample {sample} (counted from 0) is not below {classes}, the number of classes"
                    ))));
                }
                flags[sample * classes + class as usize] = 1.0;
            }
        }
        Ok(Targets::Flags(flags))
    }

    /// The numbers, where they are no labels.
    pub(super) fn numbers(&self) -> Option<&[f32]> {
        match self {
            Targets::Labels(_) => None,
            Targets::Flags(numbers) | Targets::Values(numbers) => Some(numbers),
        }
    }

    /// Words in all.
    pub fn words(&self) -> usize {
        match self {
            Targets::Labels(labels) => labels.len(),
            Targets::Flags(numbers) | Targets::Values(numbers) => numbers.len(),
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
