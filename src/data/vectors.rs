//! Samples in memory as numbers.

use super::augmentation::Draws;
use super::source::{DataSource, values_of};
use super::{TargetKind, Targets};
use crate::error::{Error, Misfit, Result};

/// Samples of `f32` in memory, with a class or some values each.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    features: usize,
    samples: usize,
    kind: TargetKind,
    /// `[sample][feature]`.
    inputs: Vec<f32>,
    /// `[sample]`, or `[sample][value]`.
    targets: Targets,
}

impl Vectors {
    /// Samples `[sample][feature]` of `features` numbers each, with labels `[sample]` (a `Vec<u32>`) or values
    /// `[sample][value]` (a `Vec<f32>`, as many for each).
    ///
    /// # Errors
    /// [`Error::Shape`] for sizes that do not fit each other, and numbers that are not finite: no loss would be.
    pub fn new(features: usize, inputs: Vec<f32>, targets: impl Into<Targets>) -> Result<Self> {
        let targets = targets.into();
        if features == 0 || !inputs.len().is_multiple_of(features) {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("{} numbers", inputs.len()),
                expected: format!("samples of {features} each"),
            }));
        }
        let samples = inputs.len() / features;
        let words = targets.words();
        let kind = match &targets {
            Targets::Labels(_) => TargetKind::Labels,
            Targets::Values(_) => TargetKind::Values(words / samples.max(1)),
        };
        if kind.words().checked_mul(samples) != Some(words) || kind.words() == 0 && samples > 0 {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("{words} targets, as many each,"),
                expected: format!("{samples} samples"),
            }));
        }
        if let Some(at) = inputs.iter().position(|x| !x.is_finite()) {
            return Err(Error::Shape(Misfit::Samples {
                what: format!("sample {} (counted from 0)", at / features),
                why: format!("its input {} is {}", at % features, inputs[at]),
            }));
        }
        if let Targets::Values(values) = &targets
            && let Some(at) = values.iter().position(|x| !x.is_finite())
        {
            return Err(Error::Shape(Misfit::Samples {
                what: format!("sample {} (counted from 0)", at / kind.words()),
                why: format!("a target is {}", values[at]),
            }));
        }
        Ok(Self {
            features,
            samples,
            kind,
            inputs,
            targets,
        })
    }
}

impl DataSource for Vectors {
    fn len(&self) -> usize {
        self.samples
    }

    fn features(&self) -> usize {
        self.features
    }

    fn targets(&self) -> TargetKind {
        self.kind
    }

    fn label(&self, number: usize) -> u32 {
        match &self.targets {
            Targets::Labels(labels) => labels[number],
            Targets::Values(_) => 0,
        }
    }

    fn read(&self, number: usize, _: Draws, inputs: &mut [f32], values: &mut [f32]) -> Result<()> {
        inputs.copy_from_slice(&self.inputs[number * self.features..][..self.features]);
        if let Targets::Values(all) = &self.targets {
            let count = values_of(self.kind);
            values.copy_from_slice(&all[number * count..][..count]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_fit_or_are_refused() {
        let vectors = Vectors::new(2, vec![0.5; 6], vec![1.0f32; 9]).unwrap();
        assert_eq!(
            (vectors.len(), vectors.targets()),
            (3, TargetKind::Values(3))
        );
        for (features, inputs, values) in [(2, 5, 3), (0, 0, 0), (2, 6, 4), (2, 6, 0)] {
            let refused = Vectors::new(features, vec![0.0; inputs], vec![0.0f32; values]);
            assert!(refused.is_err(), "{features} {inputs} {values}");
        }
        assert!(Vectors::new(2, vec![0.0; 6], vec![0u32; 2]).is_err());
        assert!(Vectors::new(1, vec![f32::NAN], vec![0u32]).is_err());
        assert!(Vectors::new(1, vec![0.0], vec![f32::INFINITY]).is_err());
        assert!(
            Vectors::new(1, Vec::new(), Vec::<u32>::new())
                .unwrap()
                .is_empty()
        );
    }
}
