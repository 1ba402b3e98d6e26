//! Noise on copies of a sample, over which a gradient is averaged.

use crate::engine::random::{Stream, random, unit};
use crate::error::{Error, Result};

/// The mean of the gradients at noisy copies of a sample, which shows what they have in common: SmoothGrad of Smilkov et
/// al. 2017, arXiv 1706.03825.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    /// Number of copies.
    pub copies: usize,
    /// Deviation of the noise, as a share of the range of the sample's own numbers before normalisation.
    pub noise: f32,
    /// Seed of the noise.
    pub seed: u32,
}

impl Default for Smoothing {
    fn default() -> Self {
        Self {
            copies: 32,
            noise: 0.15,
            seed: 0,
        }
    }
}

impl Smoothing {
    /// Most copies: their numbers and those of a sample's inputs are parts of a random number's place.
    pub const MOST_COPIES: usize = 1 << 20;

    /// Checks that its numbers can be used.
    ///
    /// # Errors
    /// [`Error::Value`] names one that cannot.
    pub fn check(&self) -> Result<()> {
        if !(1..=Self::MOST_COPIES).contains(&self.copies) {
            return Err(Error::Value {
                option: "copies",
                must: format!(
                    "must be from 1 to {}; the gradient of the sample itself needs no smoothing",
                    Self::MOST_COPIES
                ),
                value: self.copies.to_string(),
            });
        }
        match self.noise.is_finite() && self.noise >= 0.0 {
            true => Ok(()),
            false => Err(Error::Value {
                option: "noise",
                must: "must be a finite share of 0 or more".to_owned(),
                value: self.noise.to_string(),
            }),
        }
    }

    /// A normally distributed number of deviation 1 for an input of a copy of a sample.
    pub(super) fn normal(&self, sample: u32, copy: u32, input: u32) -> f32 {
        let layer = sample & 0x00ff_ffff;
        let words = random(self.seed, copy, Stream::Noise, layer, input);
        // Box and Muller 1958; the logarithm's number is above 0.
        let radius = (-2.0 * f64::from(1.0 - unit(words[0])).ln()).sqrt();
        let angle = std::f64::consts::TAU * f64::from(unit(words[1]));
        (radius * angle.cos()) as f32
    }
}
