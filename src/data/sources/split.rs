//! Images in memory with their labels.

use crate::data::shape::ImageShape;
use crate::error::{Error, Misfit, Result};

/// Images in memory with their labels: the training half or the test half of a set.
#[derive(Debug)]
pub struct Split {
    features: usize,
    /// `[image][channel][y][x]`.
    images: Vec<u8>,
    /// `[image]`.
    labels: Vec<u32>,
}

impl Split {
    /// Images `[image][channel][y][x]` of `features` bytes each, and one label per image.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are not `features` bytes per label, or too many images for 32-bit numbers.
    pub fn new(features: usize, images: Vec<u8>, labels: Vec<u32>) -> Result<Self> {
        if labels.len().checked_mul(features) != Some(images.len()) || features == 0 {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("{} bytes of images", images.len()),
                expected: format!("{} labels, of {features} bytes each", labels.len()),
            }));
        }
        if u32::try_from(labels.len()).is_err() {
            return Err(Error::Shape(Misfit::TooMany {
                what: "images".to_owned(),
                count: labels.len().to_string(),
                most: u32::MAX.into(),
                way_out: String::new(),
            }));
        }
        Ok(Self {
            features,
            images,
            labels,
        })
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Bytes of one image.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The bytes of image `index`, `[channel][y][x]`. As for a slice, an index past the end panics.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.images[index * self.features..][..self.features]
    }

    /// The class of image `index`. As for a slice, an index past the end panics.
    pub fn label(&self, index: usize) -> u32 {
        self.labels[index]
    }

    /// The classes of all images.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Keeps the first `limit` images.
    pub(in crate::data) fn truncate(&mut self, limit: usize) {
        if limit < self.len() {
            self.labels.truncate(limit);
            self.images.truncate(limit * self.features);
            self.images.shrink_to_fit();
        }
    }
}

/// The two halves of a set as the reader of its format finds them.
pub(in crate::data) struct Halves {
    pub shape: ImageShape,
    pub train: Split,
    pub test: Split,
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Images;

    #[test]
    fn a_split_is_consistent_or_refused() {
        let split = Split::new(2, vec![1, 2, 3, 4, 5, 6], vec![7, 8, 9]).unwrap();
        assert_eq!((split.len(), split.features()), (3, 2));
        assert_eq!((split.image(1), split.label(2)), (&[3, 4][..], 9));
        let images = Images::from(split);
        assert_eq!([2, 3, 0].map(|batch| images.batches(batch)), [2, 1, 0]);
        for (features, bytes, labels) in [(2, 5, 3), (2, 8, 3), (0, 0, 3), (usize::MAX, 6, 3)] {
            let refused = Split::new(features, vec![0; bytes], vec![0; labels]);
            assert!(
                matches!(refused, Err(Error::Shape(_))),
                "{features} {bytes} {labels}"
            );
        }
    }

    #[test]
    fn truncation_keeps_the_first_images() {
        let mut split = Split::new(2, vec![1, 2, 3, 4, 5, 6], vec![7, 8, 9]).unwrap();
        split.truncate(9);
        assert_eq!(split.len(), 3);
        split.truncate(2);
        assert_eq!((split.labels(), split.image(1)), (&[7, 8][..], &[3, 4][..]));
        assert_eq!(split.images.len(), 4, "the other images stay in memory");
    }
}
