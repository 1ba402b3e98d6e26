//! What the outputs of a network are compared with: per sample a class, classes that each apply or not, or some
//! numbers.

use std::fmt;

use crate::error::{Error, Misfit, Result};

/// What each sample is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// The number of its class.
    Labels,
    /// For this many classes, whether each applies: 1 or 0, or a share between them.
    Flags(usize),
    /// This many numbers.
    Values(usize),
}

impl TargetKind {
    /// Words per sample.
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

/// The targets of several samples; their order depends on the holder.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// One class each.
    Labels(Vec<u32>),
    /// Two classes each, for samples that were mixed in pairs: the targets of a network with one class per sample.
    Mixed(MixedLabels),
    /// Equally many classes each: 1 if it applies and 0 if not.
    Flags(Vec<f32>),
    /// Equally many numbers each.
    Values(Vec<f32>),
}

/// Classes of samples that were mixed in pairs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MixedLabels {
    /// The class with the larger share.
    pub labels: Vec<u32>,
    /// The other one.
    pub others: Vec<u32>,
    /// Its share, 0 to 0.5.
    pub shares: Vec<f32>,
}

impl Targets {
    /// Zeros for `samples` samples.
    pub(crate) fn zeros(kind: TargetKind, samples: usize) -> Self {
        let words = kind.words() * samples;
        match kind {
            TargetKind::Labels => Targets::Labels(vec![0; words]),
            TargetKind::Flags(_) => Targets::Flags(vec![0.0; words]),
            TargetKind::Values(_) => Targets::Values(vec![0.0; words]),
        }
    }

    /// For samples with these classes, out of `classes`, whether each applies, `[sample][class]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a class that is not below `classes`.
    pub fn flags(classes: usize, samples: &[Vec<u32>]) -> Result<Self> {
        let mut flags = vec![0.0; classes * samples.len()];
        for (sample, own) in samples.iter().enumerate() {
            for &class in own {
                if class as usize >= classes {
                    return Err(Error::Shape(Misfit::Label {
                        sample,
                        label: class,
                        classes,
                    }));
                }
                flags[sample * classes + class as usize] = 1.0;
            }
        }
        Ok(Targets::Flags(flags))
    }

    /// The numbers, unless they are labels.
    pub(super) fn numbers(&self) -> Option<&[f32]> {
        match self {
            Targets::Labels(_) | Targets::Mixed(_) => None,
            Targets::Flags(numbers) | Targets::Values(numbers) => Some(numbers),
        }
    }

    /// Number of words in all.
    pub fn words(&self) -> usize {
        match self {
            Targets::Labels(labels) => labels.len(),
            Targets::Mixed(mixed) => mixed.labels.len(),
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
