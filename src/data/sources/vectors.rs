//! Samples in memory as numbers.

use super::definition::{DataSource, values_of};
use crate::data::augmentation::Draws;
use crate::data::{TargetKind, Targets};
use crate::error::{Error, Misfit, Result};

/// Samples of `f32` in memory, each with a class, several classes or some values.
#[derive(Clone, Debug, PartialEq)]
pub struct Vectors {
    features: usize,
    samples: usize,
    kind: TargetKind,
    /// `[sample][feature]`.
    inputs: Vec<f32>,
    /// `[sample]`, or `[sample][value]`.
    targets: Targets,
    /// `[sample]`; empty if all count the same.
    weights: Vec<f32>,
}

impl Vectors {
    /// Samples `[sample][feature]` of `features` numbers each, with labels `[sample]` (a `Vec<u32>`), values
    /// `[sample][value]` (a `Vec<f32>`, equally many per sample), or [flags](Targets::flags) `[sample][class]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for sizes that do not fit each other, and for numbers that are not finite, because then no loss
    /// would be.
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
            Targets::Mixed(_) => {
                return Err(Error::Shape(Misfit::Other(
                    "samples in memory have one class each; a loader mixes them (LoaderOptions::mixing)".to_owned(),
                )));
            }
            Targets::Flags(_) => TargetKind::Flags(words / samples.max(1)),
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
        let are_flags = matches!(targets, Targets::Flags(_));
        let fits = |x: &f32| match are_flags {
            true => (0.0..=1.0).contains(x),
            false => x.is_finite(),
        };
        if let Some(numbers) = targets.numbers()
            && let Some(at) = numbers.iter().position(|x| !fits(x))
        {
            let (found, limit) = (numbers[at], if are_flags { ", not 0 to 1" } else { "" });
            return Err(Error::Shape(Misfit::Samples {
                what: format!("sample {} (counted from 0)", at / kind.words()),
                why: format!("a target is {found}{limit}"),
            }));
        }
        Ok(Self {
            features,
            samples,
            kind,
            inputs,
            targets,
            weights: Vec::new(),
        })
    }

    /// These with the weight of each sample in training, `[sample]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not as many weights as samples, or a weight is below 0 or not finite.
    pub fn weighted(self, weights: Vec<f32>) -> Result<Self> {
        if weights.len() != self.samples {
            return Err(Error::Shape(Misfit::Other(format!(
                "{} samples cannot have {} weights, but one each",
                self.samples,
                weights.len()
            ))));
        }
        match weights.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
            None => Ok(Self { weights, ..self }),
            Some(at) => Err(Error::Shape(Misfit::Other(format!(
                "the weight of sample {at} (counted from 0) is {}; it must be a number, 0 or above",
                weights[at]
            )))),
        }
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
            Targets::Mixed(_) | Targets::Flags(_) | Targets::Values(_) => 0,
        }
    }

    fn weight(&self, number: usize) -> f32 {
        self.weights.get(number).copied().unwrap_or(1.0)
    }

    fn is_weighted(&self) -> bool {
        !self.weights.is_empty()
    }

    fn read(&self, number: usize, _: Draws, inputs: &mut [f32], values: &mut [f32]) -> Result<()> {
        inputs.copy_from_slice(&self.inputs[number * self.features..][..self.features]);
        if let Some(all) = self.targets.numbers() {
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
    fn samples_have_several_classes_and_weights() {
        let flags = Targets::flags(3, &[vec![0, 2], vec![]]).unwrap();
        assert_eq!(flags, Targets::Flags(vec![1.0, 0.0, 1.0, 0.0, 0.0, 0.0]));
        assert!(Targets::flags(3, &[vec![3]]).is_err());
        let vectors = Vectors::new(1, vec![0.5; 2], flags).unwrap();
        assert_eq!(vectors.targets(), TargetKind::Flags(3));
        assert!(!vectors.is_weighted());
        assert!(vectors.clone().weighted(vec![1.0]).is_err());
        assert!(vectors.clone().weighted(vec![1.0, -1.0]).is_err());
        assert!(vectors.clone().weighted(vec![1.0, f32::NAN]).is_err());
        let weighted = vectors.weighted(vec![0.0, 2.5]).unwrap();
        assert!(weighted.is_weighted());
        assert_eq!([0, 1].map(|at| weighted.weight(at)), [0.0, 2.5]);
    }

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
        assert!(Vectors::new(1, vec![0.0], Targets::Flags(vec![1.5])).is_err());
        assert!(
            Vectors::new(1, Vec::new(), Vec::<u32>::new())
                .unwrap()
                .is_empty()
        );
    }
}
