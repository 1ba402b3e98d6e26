//! A loaded data set: its two halves, and what is known of them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::bad::BadImage;
use super::images::Images;
use super::normalisation::Normalisation;
use super::shape::ImageShape;
use super::table::Preprocessing;
use super::targets::TargetKind;
use crate::error::{Error, Misfit, Result};

/// Where the images come from that a network is evaluated by: never from those that it learns from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestPart {
    /// They are the set's own.
    #[default]
    Published,
    /// They are in files of a published set's names, of which some have other contents than the published ones.
    Given,
    /// They are in the folder of that name, beside the training images.
    Folder(String),
    /// They are the rows of the file of that name.
    File(String),
    /// They were split off the training images or rows, which have no others beside them.
    SplitOff {
        /// Of all images in `train`, or of all rows.
        share: f64,
        /// What chose them.
        seed: u32,
        /// Whether the network may have learned from some: it was trained on other images of the folder, or when
        /// nothing, or something else, was split off. Its accuracy on them is then none of a test.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        trained_on: bool,
        /// Whether they are a table's rows.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rows: bool,
    },
}

impl TestPart {
    /// Whether the network may have learned from some of the images.
    pub fn trained_on(&self) -> bool {
        match self {
            TestPart::SplitOff { trained_on, .. } => *trained_on,
            TestPart::Published | TestPart::Given | TestPart::Folder(_) | TestPart::File(_) => {
                false
            }
        }
    }
}

impl fmt::Display for TestPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TestPart::Published => f.write_str("the set's own"),
            TestPart::Given => f.write_str("in files that are not the published ones"),
            TestPart::Folder(name) => write!(f, "from {name}/"),
            TestPart::File(name) => write!(f, "from {name}"),
            TestPart::SplitOff {
                share,
                seed,
                trained_on,
                rows,
            } => {
                let percent = (share * 1e4).round() / 100.0;
                let trained_on = match trained_on {
                    true => ", some of which the network may have been trained on",
                    false => "",
                };
                let of = match rows {
                    true => "of the rows held out",
                    false => "split off train/",
                };
                write!(f, "{percent} % {of} by seed {seed}{trained_on}")
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
    /// Classes that a training on it does not teach, or hardly: whole sentences. They are nothing to a network that was
    /// trained.
    pub untaught: Vec<String>,
    /// What was done with the columns, of a table.
    pub preprocessing: Option<Arc<Preprocessing>>,
}

impl Dataset {
    /// A set of samples of one's own, such as [`Vectors`](super::Vectors), that are taken as they are. Classes are as
    /// many as the labels need.
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
            TargetKind::Flags(count) => Some(count),
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
            preprocessing: None,
        };
        data.check()?;
        data.normalisation = Normalisation {
            mean: vec![0.0; shape.channels],
            std: vec![1.0; shape.channels],
        };
        Ok(data)
    }

    /// What a sample is called: `row` of a table, else `image`.
    pub fn sample(&self) -> &'static str {
        match self.preprocessing {
            Some(_) => "row",
            None => "image",
        }
    }

    /// Outputs that a network for it has: one a class, or one a value.
    pub fn outputs(&self) -> usize {
        match self.train.targets() {
            TargetKind::Labels => self.classes,
            TargetKind::Flags(count) | TargetKind::Values(count) => count,
        }
    }

    /// What each value of a sample was divided by, so that errors are told in the values' own units; empty where none
    /// was, and of classes.
    pub fn units(&self) -> Vec<f32> {
        Vec::new()
    }

    /// Whether its parts fit each other, whoever put them together.
    ///
    /// # Errors
    /// [`Error::Shape`] for images of another size than `shape`, halves with other targets, a label that is not below
    /// `classes`, or names of other classes.
    pub fn check(&self) -> Result<()> {
        for (half, images) in [("training", &self.train), ("test", &self.test)] {
            let wrong = |reason: String| {
                Err(Error::Shape(Misfit::Samples {
                    what: format!("the {half} {}s of {}", self.sample(), self.name),
                    why: reason,
                }))
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
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("{names} names of classes"),
                expected: format!(
                    "the {} classes of the data set {}; give one of each, or no names",
                    self.classes, self.name
                ),
            }));
        }
        let [train, test] = [&self.train, &self.test].map(Images::targets);
        match train == test {
            true => Ok(()),
            false => Err(Error::Shape(Misfit::Unfit {
                found: format!("the training samples of {}, with {train} each,", self.name),
                expected: format!("its test samples, with {test}"),
            })),
        }
    }

    /// The images that could not be read so far, by path: where
    /// [`ImageOptions::skip_bad`](super::ImageOptions::skip_bad) leaves them out.
    pub fn bad_images(&self) -> Vec<BadImage> {
        let parts = [&self.train, &self.test].map(Images::folder);
        // The two parts share one list.
        let bad = parts
            .into_iter()
            .flatten()
            .find_map(|split| split.bad.as_ref());
        let all = bad.map(|bad| bad.all().clone()).unwrap_or_default();
        all.into_iter()
            .map(|(path, reason)| BadImage { path, reason })
            .collect()
    }
}
