//! A loaded data set: its parts, and what is known about them.

use std::sync::Arc;

use super::image_folder::{BadImage, BadImages};
use super::normalisation::Normalisation;
use super::parts::{HeldOut, TestPart};
use super::shape::ImageShape;
use super::sources::Images;
use super::targets::TargetKind;
use crate::data::table::Preprocessing;
use crate::error::{Error, Misfit, Result};

/// A data set, ready to be loaded in batches.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// The name by which it was requested.
    pub name: String,
    /// Size of every image.
    pub shape: ImageShape,
    /// Number of classes; every label is below it. 0 if samples have values.
    pub classes: usize,
    /// The names of the classes in the order of their numbers; empty if they have no names.
    pub class_names: Vec<String>,
    /// How its pixels become inputs.
    pub normalisation: Normalisation,
    /// What the network learns from.
    pub train: Images,
    /// The part that chooses weights, and when to stop; `None` if nothing is to be chosen.
    pub validation: Option<HeldOut>,
    /// The part for the final test: it chooses nothing. Empty if there is only a validation part.
    pub test: Images,
    /// Where the test images come from.
    pub test_part: TestPart,
    /// What the user should know about it, in whole sentences.
    pub notes: Vec<String>,
    /// Classes that training on it teaches badly or not at all, in whole sentences. They do not matter for a network
    /// that was already trained.
    pub untaught: Vec<String>,
    /// For a table, what was done with the columns.
    pub preprocessing: Option<Arc<Preprocessing>>,
}

impl Dataset {
    /// Makes a set from your own samples, such as [`Vectors`](super::Vectors), which are taken as they are. There are
    /// as many classes as the labels need.
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
            validation: None,
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

    /// The name of a sample: `row` for a table, otherwise `image`.
    pub fn sample(&self) -> &'static str {
        match self.preprocessing {
            Some(_) => "row",
            None => "image",
        }
    }

    /// Number of outputs of a network for it: one per class, or one per value.
    pub fn outputs(&self) -> usize {
        match self.train.targets() {
            TargetKind::Labels => self.classes,
            TargetKind::Flags(count) | TargetKind::Values(count) => count,
        }
    }

    /// What each value of a sample was divided by, so that errors can be reported in the values' own units; empty if
    /// none was, and for classes.
    pub fn units(&self) -> Vec<f32> {
        let rules = self.preprocessing.as_ref();
        rules.map_or(Vec::new(), |rules| rules.units())
    }

    /// Checks that its parts fit each other, whoever put them together.
    ///
    /// # Errors
    /// [`Error::Shape`] for images of another size than `shape`, halves with other targets, a label that is not below
    /// `classes`, or names of other classes.
    pub fn check(&self) -> Result<()> {
        let validation = self
            .validation
            .as_ref()
            .map(|held| ("validation", &held.images));
        let all = [("training", &self.train), ("test", &self.test)];
        for (half, images) in all.into_iter().chain(validation) {
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
                    "label {} of {} {i} (counted from 0) is not below {}, the number of classes",
                    images.label(i),
                    self.sample(),
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
        let train = self.train.targets();
        let others = [("test", &self.test)].into_iter().chain(validation);
        for (part, images) in others {
            let other = images.targets();
            if other != train {
                return Err(Error::Shape(Misfit::Unfit {
                    found: format!("the training samples of {}, with {train} each,", self.name),
                    expected: format!("its {part} samples, with {other}"),
                }));
            }
        }
        Ok(())
    }

    /// The images that could not be read so far, by path, if [`ImageOptions::skip_bad`](super::ImageOptions::skip_bad)
    /// leaves them out.
    pub fn bad_images(&self) -> Vec<BadImage> {
        let bad = self.list_of_bad();
        let all = bad.map(|bad| bad.all().clone()).unwrap_or_default();
        all.into_iter()
            .map(|(path, reason)| BadImage { path, reason })
            .collect()
    }

    /// Adds images that another process could not read.
    pub(crate) fn add_bad_images(&self, found: impl IntoIterator<Item = BadImage>) {
        if let Some(bad) = self.list_of_bad() {
            let mut all = bad.all();
            for BadImage { path, reason } in found {
                all.entry(path).or_insert(reason);
            }
        }
    }

    /// The parts share one list.
    fn list_of_bad(&self) -> Option<&BadImages> {
        [&self.train, &self.test]
            .into_iter()
            .filter_map(|images| images.folder())
            .find_map(|split| split.bad.as_deref())
    }
}
