//! A loaded data set: images as bytes, labels, and how pixels become inputs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Images, TargetKind};
use crate::error::{Error, Result};
use crate::layer::Extent;

/// Size of one image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageShape {
    /// Colour planes: 1 for grey, 3 for RGB.
    pub channels: usize,
    /// Rows of a plane.
    pub height: usize,
    /// Columns of a plane.
    pub width: usize,
}

impl ImageShape {
    /// A plain vector of numbers.
    pub fn vector(length: usize) -> Self {
        ImageShape {
            channels: length,
            height: 1,
            width: 1,
        }
    }

    /// Values of one image, the number of inputs of a network: channels × height × width.
    pub fn features(&self) -> usize {
        let plane = self.height.saturating_mul(self.width);
        self.channels.saturating_mul(plane)
    }

    /// The size of a model's input that takes such images.
    pub fn extent(&self) -> Extent {
        Extent {
            channels: self.channels,
            height: self.height,
            width: self.width,
        }
    }
}

/// How pixels become inputs: `(pixel / 255 - mean) / std`, or numbers `(number - mean) / std`, with one mean and one standard deviation per channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Normalisation {
    /// Mean per channel: of pixels scaled to `[0, 1]`, or of numbers as they are.
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
            return Err(Error::Shape(format!(
                "the normalisation has {} means and {} deviations for images of {channels} channels; give one of each \
                 per channel",
                self.mean.len(),
                self.std.len()
            )));
        }
        let channels = self.mean.iter().zip(&self.std);
        channels
            .map(|(&mean, &std)| {
                if !mean.is_finite() || !std.is_finite() || std <= 0.0 {
                    return Err(Error::Shape(format!(
                        "cannot normalise by mean {mean} and deviation {std}; the mean must be finite, the deviation \
                         finite and above 0"
                    )));
                }
                Ok(std::array::from_fn(|pixel| {
                    (pixel as f32 / 255.0 - mean) / std
                }))
            })
            .collect()
    }
}

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
    /// [`Error::Shape`] when the bytes are not `features` per label, or the images too many to be numbered by 32 bits.
    pub fn new(features: usize, images: Vec<u8>, labels: Vec<u32>) -> Result<Self> {
        if labels.len().checked_mul(features) != Some(images.len()) || features == 0 {
            return Err(Error::Shape(format!(
                "{} labels need as many images of {features} bytes, but there are {} bytes",
                labels.len(),
                images.len()
            )));
        }
        if u32::try_from(labels.len()).is_err() {
            return Err(Error::Shape(format!(
                "{} images are more than the {} that a set can hold",
                labels.len(),
                u32::MAX
            )));
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

    /// Whether there is no image at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Bytes of one image.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The bytes of image `index`, `[channel][y][x]`. Like a slice's, an index past the end panics.
    pub fn image(&self, index: usize) -> &[u8] {
        &self.images[index * self.features..][..self.features]
    }

    /// The class of image `index`. Like a slice's, an index past the end panics.
    pub fn label(&self, index: usize) -> u32 {
        self.labels[index]
    }

    /// The classes of all images.
    pub fn labels(&self) -> &[u32] {
        &self.labels
    }

    /// Keeps the first `limit` images.
    pub(super) fn truncate(&mut self, limit: usize) {
        if limit < self.len() {
            self.labels.truncate(limit);
            self.images.truncate(limit * self.features);
            self.images.shrink_to_fit();
        }
    }
}

/// Where the images come from that a network is evaluated by: never from those that it learns from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestPart {
    /// They are the set's own.
    #[default]
    Published,
    /// They are in the folder of that name, beside the training images.
    Folder(String),
    /// They were split off the training images, which have no others beside them.
    SplitOff {
        /// Of all images in `train`.
        share: f64,
        /// What chose them.
        seed: u32,
        /// Whether the network may have learned from some: it was trained on other images of the folder, or when nothing, or
        /// something else, was split off. Its accuracy on them is then none of a test.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        trained_on: bool,
    },
}

impl TestPart {
    /// Whether the network may have learned from some of the images.
    pub fn trained_on(&self) -> bool {
        match self {
            TestPart::SplitOff { trained_on, .. } => *trained_on,
            TestPart::Published | TestPart::Folder(_) => false,
        }
    }
}

impl fmt::Display for TestPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TestPart::Published => f.write_str("the set's own"),
            TestPart::Folder(name) => write!(f, "from {name}/"),
            TestPart::SplitOff {
                share,
                seed,
                trained_on,
            } => {
                let percent = (share * 1e4).round() / 100.0;
                let trained_on = match trained_on {
                    true => ", some of which the network may have been trained on",
                    false => "",
                };
                write!(f, "{percent} % split off train/ by seed {seed}{trained_on}")
            }
        }
    }
}

/// A data set, ready to be loaded in batches.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name it was asked for by.
    pub name: String,
    /// Size of every image.
    pub shape: ImageShape,
    /// Number of classes; every label is below it. 0 where samples have values.
    pub classes: usize,
    /// Their names, in the order of their numbers; none where they have no names.
    pub class_names: Vec<String>,
    /// How its pixels become inputs.
    pub normalisation: Normalisation,
    /// What the network learns from.
    pub train: Images,
    /// What it is evaluated by.
    pub test: Images,
    /// Where the test images come from.
    pub test_part: TestPart,
    /// What the user should know of it, whole sentences.
    pub notes: Vec<String>,
    /// Classes that a training on it does not teach, or hardly: whole sentences. They are nothing to a network that was trained.
    pub untaught: Vec<String>,
}

impl Dataset {
    /// A set of samples of one's own, such as [`Vectors`](super::Vectors), that are taken as they are. Classes are as many as the
    /// labels need.
    ///
    /// # Errors
    /// As [`Dataset::check`].
    pub fn new(
        name: &str,
        shape: ImageShape,
        train: impl Into<Images>,
        test: impl Into<Images>,
    ) -> Result<Self> {
        let (train, test) = (train.into(), test.into());
        let classes = |images: &Images| match images.targets() {
            TargetKind::Labels => (0..images.len())
                .map(|i| images.label(i) as usize + 1)
                .max(),
            TargetKind::Values(_) => None,
        };
        let mut data = Self {
            name: name.to_owned(),
            shape,
            classes: classes(&train).max(classes(&test)).unwrap_or(0),
            class_names: Vec::new(),
            normalisation: Normalisation {
                mean: Vec::new(),
                std: Vec::new(),
            },
            train,
            test,
            test_part: TestPart::Published,
            untaught: Vec::new(),
            notes: Vec::new(),
        };
        data.check()?;
        data.normalisation = Normalisation {
            mean: vec![0.0; shape.channels],
            std: vec![1.0; shape.channels],
        };
        Ok(data)
    }

    /// Whether its parts fit each other, whoever put them together.
    ///
    /// # Errors
    /// [`Error::Shape`] for images of another size than `shape`, halves with other targets, a label that is not below
    /// `classes`, or names of other classes.
    pub fn check(&self) -> Result<()> {
        for (half, images) in [("training", &self.train), ("test", &self.test)] {
            let wrong = |reason: String| {
                Err(Error::Shape(format!(
                    "the {half} images of {}: {reason}",
                    self.name
                )))
            };
            let (expected, found) = (self.shape.features(), images.features());
            if found != expected {
                return wrong(format!(
                    "they have {found} values, and their shape says {expected}"
                ));
            }
            if images.targets() == TargetKind::Labels
                && let Some(i) =
                    (0..images.len()).find(|&i| images.label(i) as usize >= self.classes)
            {
                return wrong(format!(
                    "label {} of image {i} (counted from 0) is not below {}, the number of classes",
                    images.label(i),
                    self.classes
                ));
            }
        }
        let names = self.class_names.len();
        if names > 0 && names != self.classes {
            return Err(Error::Shape(format!(
                "the data set {} has {} classes and {names} names of classes; give one of each, or no names",
                self.name, self.classes
            )));
        }
        let [train, test] = [&self.train, &self.test].map(Images::targets);
        match train == test {
            true => Ok(()),
            false => Err(Error::Shape(format!(
                "the training samples of {} have {train} each, the test samples {test}",
                self.name
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
