//! Images per class, and the notes if a class has none.

use super::{DataPart, Dataset, HeldOut, Images, TestPart};
use crate::words::listed;

impl Images {
    /// Number of images in each of `classes` classes.
    pub fn class_sizes(&self, classes: usize) -> Vec<usize> {
        let mut sizes = vec![0; classes];
        for image in 0..self.len() {
            if let Some(size) = sizes.get_mut(self.label(image) as usize) {
                *size += 1;
            }
        }
        sizes
    }
}

impl Dataset {
    /// Notes, in whole sentences, the classes that cannot be learned and those that nothing tests.
    pub(super) fn note_classes(&mut self) {
        let named = |sizes: &[usize], requested: usize| {
            let classes = sizes
                .iter()
                .enumerate()
                .filter(|&(_, &size)| size == requested);
            let names: Vec<&str> = classes
                .map(|(class, _)| self.class_names.get(class).map_or("?", String::as_str))
                .collect();
            let count = names.len();
            let named = listed(count as u64, &names);
            (count > 0).then(|| format!("{count} of {} classes: {named}", self.classes))
        };
        let samples = format!("{}s", self.sample());
        let train = self.train.class_sizes(self.classes);
        let (mut untaught, mut unjudged) = (Vec::new(), Vec::new());
        untaught.extend(named(&train, 0).map(|which| {
            format!("there are no training {samples} of {which}; the network cannot learn them")
        }));
        // A few images of a known set are meant as a trial.
        if self.train.folder().is_some() || self.preprocessing.is_some() {
            let sample = self.sample();
            untaught.extend(
                named(&train, 1)
                    .map(|which| format!("there is a single training {sample} each of {which}")),
            );
        }
        for part in DataPart::ALL {
            let Some(HeldOut { images, part: from }) = self.part(part) else {
                continue;
            };
            let place = match &from {
                TestPart::Folder(name) => format!(" in {name}/"),
                TestPart::File(name) => format!(" in {name}"),
                TestPart::Published
                | TestPart::Given
                | TestPart::SplitOff { .. }
                | TestPart::Nothing
                | TestPart::Unwanted => String::new(),
            };
            unjudged.extend(named(&images.class_sizes(self.classes), 0).map(|which| {
                format!(
                    "there are no {part} {samples}{place} of {which}; the accuracy says nothing about them"
                )
            }));
        }
        self.untaught = untaught;
        self.notes.extend(unjudged);
    }
}

#[cfg(test)]
mod tests {
    use crate::data::{DataOptions, load};

    #[test]
    fn classes_without_images_are_named() {
        let digits = load(&DataOptions::default()).unwrap();
        assert_eq!(digits.notes, Vec::<String>::new());
        assert_eq!(digits.test.class_sizes(10).iter().sum::<usize>(), 355);
        let few = load(&DataOptions {
            limit: Some(2),
            ..DataOptions::default()
        });
        let few = few.unwrap();
        let notes = [few.untaught, few.notes].concat();
        assert_eq!(notes.len(), 2, "{notes:?}");
        assert!(
            notes[0].starts_with("there are no training images of 8 of 10 classes: "),
            "{notes:?}"
        );
        assert!(
            notes[1].starts_with("there are no test images of 8 of 10 classes: "),
            "{notes:?}"
        );
    }
}
