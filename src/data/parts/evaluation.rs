//! On which part a network is evaluated: during training, after it, or as requested.

use crate::data::{DataPart, DataRecord, Dataset, HeldOut};

impl Dataset {
    /// The part that is evaluated after each epoch: validation, or the test part if there is none.
    pub fn monitored_part(&self) -> DataPart {
        match self.validation {
            Some(_) => DataPart::Validation,
            None => DataPart::Test,
        }
    }

    /// The part on which a network is evaluated after its training: test, or validation if there is none.
    pub fn final_part(&self) -> DataPart {
        match (self.test.is_empty(), &self.validation) {
            (true, Some(_)) => DataPart::Validation,
            _ => DataPart::Test,
        }
    }

    /// The samples of a part; `None` if there is no such part.
    pub fn part(&self, part: DataPart) -> Option<HeldOut> {
        match part {
            DataPart::Validation => self.validation.clone(),
            DataPart::Test => (!self.test.is_empty()).then(|| HeldOut {
                images: self.test.clone(),
                part: self.test_part.clone(),
            }),
        }
    }

    /// This with that part in place of the test part, so that it can be used wherever test samples are; unchanged if
    /// there is no such part.
    pub fn evaluated_on(&self, part: DataPart) -> Self {
        let mut view = self.clone();
        if let (DataPart::Validation, Some(HeldOut { images, part })) = (part, &self.validation) {
            view.test = images.clone();
            view.test_part = part.clone();
        }
        view.validation = None;
        view
    }
}

impl DataRecord {
    /// As [`Dataset::evaluated_on`].
    pub fn evaluated_on(&self, part: DataPart) -> Self {
        let mut view = self.clone();
        if let (DataPart::Validation, Some(validation)) = (part, &self.validation) {
            view.test = validation.samples.clone();
            view.test_part = validation.part.clone();
        }
        view.validation = None;
        view
    }
}
