//! The embedded default set: 1,797 handwritten digits of 8 × 8 pixels.
//!
//! Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, 1998, UCI Machine Learning Repository,
//! <https://doi.org/10.24432/C50P49>, licensed under CC BY 4.0. `digits/ATTRIBUTION` says what was changed, and
//! `scripts/make_digits.py` makes the two files.
//!
//! Every fifth image of each class is a test image: 1,442 train and 355 test images, between 34 and 36 test images of
//! each class. (Every fifth image of the whole set would not do: the forms from which the digits were copied repeat, so
//! that some classes would have 21 test images and others 52.) Both halves have the same writers, which makes the set
//! easier than one split by writers.
//!
//! Pixels are stored as the original's 0..=16 and held as multiples of 15, up to 240: so they are bytes like those of
//! any other set, and exactly proportional.

use std::path::PathBuf;

use super::catalogue::{self, NAMES};
use super::idx::{Source, half};
use crate::data::sources::{Halves, Split};
use crate::error::Result;

static IMAGES: &[u8] = include_bytes!("digits/images.idx.gz");
static LABELS: &[u8] = include_bytes!("digits/labels.idx.gz");
/// One image in this many of each class is a test image.
const TEST_EVERY: usize = 5;
/// Factor from 0..=16 to a byte.
const SCALE: u8 = 15;

/// Unpacks and splits the set.
pub(in crate::data) fn load() -> Result<Halves> {
    let set = catalogue::find(NAMES[0])?;
    let source = |index, name: &str, content| Source {
        set,
        index,
        path: PathBuf::from(name),
        content,
    };
    let mut notes = Vec::new();
    let (shape, all) = half(
        source(0, "(embedded) digits/images.idx.gz", IMAGES),
        source(1, "(embedded) digits/labels.idx.gz", LABELS),
        &mut notes,
    )?;
    let mut seen = vec![0; set.classes()];
    let mut halves = [(Vec::new(), Vec::new()), (Vec::new(), Vec::new())];
    for index in 0..all.len() {
        let label = all.label(index);
        let seen = &mut seen[label as usize];
        *seen += 1;
        let (images, labels) = &mut halves[usize::from(*seen % TEST_EVERY == 0)];
        images.extend(
            all.image(index)
                .iter()
                .map(|pixel| pixel.saturating_mul(SCALE)),
        );
        labels.push(label);
    }
    let [train, test] = halves.map(|(images, labels)| Split::new(shape.features(), images, labels));
    Ok(Halves {
        shape,
        train: train?,
        test: test?,
        notes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(split: &Split) -> [usize; 10] {
        let mut counts = [0; 10];
        for &label in split.labels() {
            counts[label as usize] += 1;
        }
        counts
    }

    fn crc(split: &Split) -> u32 {
        let images: Vec<u8> = (0..split.len())
            .flat_map(|i| split.image(i).to_vec())
            .collect();
        crc32fast::hash(&images)
    }

    /// The counts of the original and the checksums, all computed by Python from scikit-learn's file.
    #[test]
    fn the_digits_are_the_originals() {
        let Halves {
            shape,
            train,
            test,
            notes,
        } = load().unwrap();
        assert!(notes.is_empty(), "{notes:?}");
        assert_eq!((shape.channels, shape.height, shape.width), (1, 8, 8));
        assert_eq!(
            counts(&train),
            [143, 146, 142, 147, 145, 146, 145, 144, 140, 144]
        );
        assert_eq!(counts(&test), [35, 36, 35, 36, 36, 36, 36, 35, 34, 36]);
        assert_eq!((crc(&train), crc(&test)), (0x71a7_1b2a, 0x2c3e_aea6));
        assert!(IMAGES.len() + LABELS.len() < 60_000);
    }

    #[test]
    fn the_normalisation_is_that_of_the_training_images() {
        let Halves { train, .. } = load().unwrap();
        let pixels = || {
            (0..train.len())
                .flat_map(|i| train.image(i))
                .map(|&p| f64::from(p) / 255.0)
        };
        let count = (train.len() * train.features()) as f64;
        let mean = pixels().sum::<f64>() / count;
        let std = (pixels().map(|p| (p - mean).powi(2)).sum::<f64>() / count).sqrt();
        let set = catalogue::find(NAMES[0]).unwrap();
        assert!((mean - f64::from(set.mean[0])).abs() < 5e-5, "mean {mean}");
        assert!(
            (std - f64::from(set.std[0])).abs() < 5e-5,
            "deviation {std}"
        );
    }
}
