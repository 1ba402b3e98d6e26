//! What a checkpoint keeps of the data: enough to compute what the network computes, and to notice other data.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Dataset, HeldOut, ImageShape, Images, Normalisation, TestPart};
use crate::data::table::Preprocessing;
use crate::error::{Error, Refusal, Result};
use crate::words::listed;

/// The data set that was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataRecord {
    /// The name by which it was requested.
    pub name: String,
    /// Names of the classes in the order of their numbers; empty if they have no names.
    pub classes: Vec<String>,
    /// Size of every image as the network sees it.
    pub shape: ImageShape,
    /// How its pixels became inputs.
    pub normalisation: Normalisation,
    /// What the network learned from.
    pub train: PartRecord,
    /// The part that chose weights; `None` without such a part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<HeldOutRecord>,
    /// The part it was tested on.
    pub test: PartRecord,
    /// Where the test images came from.
    pub test_part: TestPart,
    /// For a table, what was done with the columns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocessing: Option<Preprocessing>,
}

/// The validation part of the set that was used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeldOutRecord {
    /// Its samples.
    #[serde(flatten)]
    pub samples: PartRecord,
    /// Where they came from.
    pub part: TestPart,
}

/// The samples of a part of the set that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Number of images.
    pub images: u64,
    /// 128-bit XXH3 in hexadecimal: for a folder, over the class, the name and the length of each file; for a set in
    /// memory, over labels and pixels; for your own source, what it returns.
    pub fingerprint: String,
}

impl PartRecord {
    /// The record of no samples.
    fn none() -> Self {
        Self {
            images: 0,
            fingerprint: String::new(),
        }
    }

    pub(super) fn of(images: &Images) -> Self {
        Self {
            images: images.len() as u64,
            // Samples that cannot be read are reported by the run that needs them.
            fingerprint: (images.source().fingerprint()).unwrap_or_else(|error| error.to_string()),
        }
    }

    /// How this differs from `before`, in words that follow the part's name.
    fn change(&self, before: &Self) -> Option<String> {
        if self.images != before.images {
            return Some(format!(
                "{} when the run began, {} now",
                before.images, self.images
            ));
        }
        // Two empty parts are the same, however they were read.
        (self.images > 0 && self.fingerprint != before.fingerprint)
            .then(|| "as many as when the run began, but not the same".to_owned())
    }
}

impl HeldOutRecord {
    /// The record of a set without such a part.
    fn none() -> Self {
        Self {
            samples: PartRecord::none(),
            part: TestPart::Nothing,
        }
    }
}

impl DataRecord {
    /// This record as the current version has it: earlier versions called images that they split off test images, and
    /// chose nothing by them.
    pub(crate) fn into_current(mut self) -> Self {
        if let (TestPart::SplitOff { .. }, None) = (&self.test_part, &self.validation) {
            self.validation = Some(HeldOutRecord {
                samples: std::mem::replace(&mut self.test, PartRecord::none()),
                part: std::mem::replace(&mut self.test_part, TestPart::Nothing),
            });
        }
        self
    }

    /// The differences from `before`, one sentence each; empty if the data are the same.
    ///
    /// # Errors
    /// [`Error::Fixed`] for classes with other names, whose numbers no longer mean the same.
    pub fn changes(&self, before: &Self) -> Result<Vec<String>> {
        if self.classes != before.classes {
            return Err(Error::Fixed {
                what: format!(
                    "the data have other classes than when the run began: {}",
                    difference(&before.classes, &self.classes)
                ),
                way_out: "put them back to go on with it, or start a new run".to_owned(),
            });
        }
        if self.preprocessing != before.preprocessing {
            return Err(Error::refused(Refusal::OtherPreparation));
        }
        let samples = match self.preprocessing {
            Some(_) => "rows",
            None => "images",
        };
        let mut changes = Vec::new();
        let none = HeldOutRecord::none();
        let [mine, theirs] =
            [self, before].map(|record| record.validation.as_ref().unwrap_or(&none));
        let parts = [
            ("training", &self.train, &before.train),
            ("validation", &mine.samples, &theirs.samples),
            ("test", &self.test, &before.test),
        ];
        for (name, now, before) in parts {
            changes.extend(
                now.change(before)
                    .map(|how| format!("{name} {samples}: {how}")),
            );
        }
        let from = [
            ("validation", &mine.part, &theirs.part),
            ("test", &self.test_part, &before.test_part),
        ];
        for (name, now, then) in from {
            if now != then {
                let was_split_off = [&theirs.part, &before.test_part]
                    .into_iter()
                    .any(|part| matches!(part, TestPart::SplitOff { .. }));
                let moved = match now {
                    TestPart::Folder(_) if was_split_off => {
                        "; those that were in train/ then, the network was trained on"
                    }
                    _ => "",
                };
                changes.push(format!(
                    "{name} {samples}: {then} when the run began, {now} now{moved}"
                ));
            }
        }
        if self.shape != before.shape || self.normalisation != before.normalisation {
            changes.push("size or normalisation of the images".to_owned());
        }
        Ok(changes)
    }
}

/// Class names that are in only one of two lists.
fn difference(before: &[String], now: &[String]) -> String {
    let [old, new] = [before, now].map(|names| names.iter().collect::<BTreeSet<_>>());
    let gone: Vec<&str> = old.difference(&new).map(|name| name.as_str()).collect();
    let added: Vec<&str> = new.difference(&old).map(|name| name.as_str()).collect();
    let mut parts = Vec::new();
    for (what, names) in [("not there now", gone), ("new", added)] {
        if !names.is_empty() {
            parts.push(format!("{what}: {}", listed(names.len() as u64, &names)));
        }
    }
    match parts.is_empty() {
        true => "the same names in another order".to_owned(),
        false => parts.join("; "),
    }
}

impl Dataset {
    /// The record that a checkpoint keeps of it. Looks at every image of a set in memory.
    pub fn record(&self) -> DataRecord {
        DataRecord {
            name: self.name.clone(),
            classes: self.class_names.clone(),
            shape: self.shape,
            normalisation: self.normalisation.clone(),
            train: PartRecord::of(&self.train),
            validation: self.validation.as_ref().map(|held| HeldOutRecord {
                samples: PartRecord::of(&held.images),
                part: held.part.clone(),
            }),
            test: PartRecord::of(&self.test),
            test_part: self.test_part.clone(),
            preprocessing: self.preprocessing.as_deref().cloned(),
        }
    }

    /// Whether its test images are those that a training with other test images learned from. Looks at them only if
    /// there are equally many.
    pub fn tests_by_what_it_learned(&self, trained: &DataRecord) -> bool {
        trained.test != trained.train
            && self.test.len() as u64 == trained.train.images
            && PartRecord::of(&self.test) == trained.train
    }

    /// Compares it with the data of a training, `None` if those are not known. What is split off `train` now is what
    /// was split off then only if all images are the same: otherwise the network may have learned from some, and
    /// [`TestPart::trained_on`] says so.
    pub fn compare_with(&mut self, trained: Option<&DataRecord>) {
        let is_split_off = |held: &HeldOut| matches!(held.part, TestPart::SplitOff { .. });
        if !self.validation.as_ref().is_some_and(is_split_off) {
            return;
        }
        let now = self.record();
        let differs = trained
            .is_none_or(|then| (&now.train, &now.validation) != (&then.train, &then.validation));
        if let Some(TestPart::SplitOff { trained_on, .. }) =
            self.validation.as_mut().map(|held| &mut held.part)
        {
            *trained_on = differs;
        }
    }

    /// How the test images differ from those of a training, in words; `None` if they do not.
    pub fn test_change(&self, trained: &DataRecord) -> Option<String> {
        PartRecord::of(&self.test).change(&trained.test)
    }

    /// This data set as a network with those classes sees it: a class has the number of its name, and pixels become
    /// inputs as in training.
    ///
    /// # Errors
    /// [`Error::Fixed`] for a class that the network does not know.
    pub fn as_trained(mut self, trained: &DataRecord) -> Result<Self> {
        if trained.normalisation.mean.len() == self.shape.channels {
            self.normalisation = trained.normalisation.clone();
        }
        if self.class_names == trained.classes
            || self.class_names.is_empty()
            || trained.classes.is_empty()
        {
            return Ok(self);
        }
        let classes: Arc<[String]> = trained.classes.clone().into();
        // Sets in memory have all their classes, or belong to other sets.
        let renumber = |images: &Images| Some(images.folder()?.renumbered(&classes)?.into());
        let validation = self.validation.as_ref().map(|held| renumber(&held.images));
        let (Some(train), Some(test)) = (renumber(&self.train), renumber(&self.test)) else {
            let unknown: Vec<&str> = (self.class_names.iter())
                .filter(|name| !trained.classes.contains(name))
                .map(String::as_str)
                .collect();
            let known: Vec<&str> = trained.classes.iter().map(String::as_str).collect();
            return Err(Error::Fixed {
                what: format!(
                    "the network was trained on the classes {}, and {} has others: {}",
                    listed(known.len() as u64, &known),
                    self.name,
                    listed(unknown.len() as u64, &unknown)
                ),
                way_out: "give data of the same classes, in folders of the same names".to_owned(),
            });
        };
        self.train = train;
        if let (Some(held), Some(Some(images))) = (&mut self.validation, validation) {
            held.images = images;
        }
        self.test = test;
        self.classes = classes.len();
        self.class_names = classes.to_vec();
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{DataOptions, load};

    #[test]
    fn a_record_tells_what_changed() {
        let digits = load(&DataOptions::default()).unwrap();
        let before = digits.record();
        assert_eq!((before.train.images, before.test.images), (1442, 355));
        assert_eq!(before.changes(&before).unwrap(), Vec::<String>::new());
        let fewer = load(&DataOptions {
            limit: Some(100),
            ..DataOptions::default()
        });
        let changes = fewer.unwrap().record().changes(&before).unwrap();
        assert_eq!(
            changes,
            [
                "training images: 1442 when the run began, 100 now",
                "test images: 355 when the run began, 100 now"
            ]
        );
        let mut other = before.clone();
        other.train.fingerprint = "0".into();
        other.test_part = TestPart::split_off(0.1, 3);
        let changes = other.changes(&before).unwrap().join("; ");
        assert!(changes.contains("but not the same"), "{changes}");
        assert!(
            changes.contains("10 % split off the training images by seed 3 now"),
            "{changes}"
        );
        other.classes[0] = "zero".into();
        let error = other.changes(&before).unwrap_err().to_string();
        assert!(error.contains("not there now: 0; new: zero"), "{error}");
    }

    #[test]
    fn it_comes_back_from_json_as_it_was() {
        let record = load(&DataOptions::default()).unwrap().record();
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<DataRecord>(&text).unwrap(), record);
    }
}
