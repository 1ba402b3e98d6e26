//! The counts for one class.

/// A class in an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfClass {
    /// Samples to which it applies.
    pub samples: u64,
    /// Samples for which it was predicted.
    pub told: u64,
    /// Samples for which it was predicted and to which it applies.
    pub right: u64,
}

impl OfClass {
    /// The share found of the samples to which it applies; `None` if there are none.
    pub fn recall(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.right as f64 / self.samples as f64)
    }

    /// The share of the samples for which it was predicted to which it applies; `None` if there are none.
    pub fn precision(&self) -> Option<f64> {
        (self.told > 0).then(|| self.right as f64 / self.told as f64)
    }

    /// The harmonic mean of the two, 0 if nothing was found; `None` if there was nothing to find and nothing was
    /// predicted.
    pub fn f1(&self) -> Option<f64> {
        let all = self.samples + self.told;
        (all > 0).then(|| 2.0 * self.right as f64 / all as f64)
    }
}

/// The mean of the existing values.
pub(super) fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) = values
        .flatten()
        .fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}
