//! How pixels become inputs.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Misfit, Result};

/// How pixels become inputs: `(pixel / 255 - mean) / std`, or for numbers `(number - mean) / std`, with one mean and
/// one standard deviation per channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Mean per channel: of pixels scaled to `[0, 1]`, or of the numbers themselves.
    pub mean: Vec<f32>,
    /// Standard deviation per channel, of pixels scaled to `[0, 1]`.
    pub std: Vec<f32>,
}

impl Normalisation {
    /// The input for each of the 256 pixel values, per channel: `[channel][pixel]`.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is a finite mean and a positive, finite deviation for each of `channels`.
    pub(super) fn table(&self, channels: usize) -> Result<Vec<[f32; 256]>> {
        if self.mean.len() != channels || self.std.len() != channels {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!(
                    "{} means and {} deviations",
                    self.mean.len(),
                    self.std.len()
                ),
                expected: format!("images of {channels} channels; give one of each per channel"),
            }));
        }
        let channels = self.mean.iter().zip(&self.std);
        channels
            .map(|(&mean, &std)| {
                if !mean.is_finite() || !std.is_finite() || std <= 0.0 {
                    return Err(Error::OutOfRange {
                        what: "a normalisation",
                        value: format!("mean {mean} and deviation {std}"),
                        must: "the mean must be finite, the deviation finite and above 0",
                    });
                }
                Ok(std::array::from_fn(|pixel| {
                    (pixel as f32 / 255.0 - mean) / std
                }))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normalisation_that_cannot_work_is_refused() {
        let normalisation = |mean: &[f32], std: &[f32]| Normalisation {
            mean: mean.to_vec(),
            std: std.to_vec(),
        };
        let table = normalisation(&[0.5], &[0.25]).table(1).unwrap();
        assert_eq!((table[0][0], table[0][255]), (-2.0, 2.0));
        for bad in [
            normalisation(&[0.5], &[0.0]),
            normalisation(&[0.5], &[f32::NAN]),
            normalisation(&[f32::INFINITY], &[1.0]),
            normalisation(&[0.5, 0.5], &[1.0]),
        ] {
            assert!(bad.table(1).is_err(), "{bad:?}");
        }
    }
}
