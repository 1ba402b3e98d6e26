//! What was found of a class.

/// A class in an evaluation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OfClass {
    /// Samples to which it applies.
    pub samples: u64,
    /// Samples of which it was told.
    pub told: u64,
    /// Samples of which it was told, and to which it applies.
    pub right: u64,
}

impl OfClass {
    /// Of the samples to which it applies the share that was found; none where there is none.
    pub fn recall(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.right as f64 / self.samples as f64)
    }

    /// Of the samples of which it was told the share to which it applies; none where there is none.
    pub fn precision(&self) -> Option<f64> {
        (self.told > 0).then(|| self.right as f64 / self.told as f64)
    }

    /// The harmonic mean of the two, 0 where nothing was found; none where nothing was to be found and nothing was
    /// told.
    pub fn f1(&self) -> Option<f64> {
        let all = self.samples + self.told;
        (all > 0).then(|| 2.0 * self.right as f64 / all as f64)
    }
}

/// The mean of those that there are.
pub(super) fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, count) = values
        .flatten()
        .fold((0.0, 0u64), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}
