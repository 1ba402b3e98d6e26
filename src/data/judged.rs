//! A data set by one of the parts that nothing is learned from.

use super::{DataPart, DataRecord, Dataset, HeldOut};

impl Dataset {
    /// The part that is looked at after each epoch: validation, or the test part where there is none.
    pub fn judge(&self) -> DataPart {
        match self.validation {
            Some(_) => DataPart::Validation,
            None => DataPart::Test,
        }
    }

    /// The part that a network is evaluated by when its training is over: test, or validation where there is none.
    pub fn last_judge(&self) -> DataPart {
        match (self.test.is_empty(), &self.validation) {
            (true, Some(_)) => DataPart::Validation,
            _ => DataPart::Test,
        }
    }

    /// The samples of a part; none without it.
    pub fn part(&self, part: DataPart) -> Option<HeldOut> {
        match part {
            DataPart::Validation => self.validation.clone(),
            DataPart::Test => (!self.test.is_empty()).then(|| HeldOut {
                images: self.test.clone(),
                part: self.test_part.clone(),
            }),
        }
    }

    /// This with that part in the place of the test part, so that it is asked what else only test samples are; as it is
    /// where there is no such part.
    pub fn judged_by(&self, part: DataPart) -> Self {
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
    /// As [`Dataset::judged_by`].
    pub fn judged_by(&self, part: DataPart) -> Self {
        let mut view = self.clone();
        if let (DataPart::Validation, Some(validation)) = (part, &self.validation) {
            view.test = validation.samples.clone();
            view.test_part = validation.part.clone();
        }
        view.validation = None;
        view
    }
}
