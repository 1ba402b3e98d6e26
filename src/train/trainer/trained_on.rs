//! Which images the network was trained on, so that no result on them is called a test result.

use super::Trainer;
use crate::checkpoint::Snapshot;
use crate::data::{DataPart, ImageHashes, Order, TestPart};

impl Trainer {
    /// Takes over what is known from a run that is resumed.
    pub(super) fn take_trained_images(&mut self, snapshot: &Snapshot) {
        // For images in memory, all are known if the images are the same, even if an older version recorded none.
        let same = snapshot.data.as_ref().is_some_and(|before| {
            before.train == self.record.train && self.data.train.memory().is_some()
        });
        let none_yet = snapshot.progress.step == 0 || same;
        let known = &snapshot.trained_images;
        self.trained.before = (!known.is_empty() || none_yet).then(|| known.clone());
        self.trained.rounds_before = snapshot.progress.rounds;
    }

    /// The images that the network was trained on; none if that is not known.
    pub(super) fn trained_images(&self) -> Option<ImageHashes> {
        let mut trained = self.trained.before.clone()?;
        let (train, shape) = (&self.data.train, self.data.shape);
        let of_folder;
        let hashes = match train.memory() {
            Some(_) => {
                let of_memory = || train.hashes(shape);
                self.trained.in_memory.get_or_init(of_memory).as_ref()?
            }
            None => {
                of_folder = train.hashes(shape)?;
                &of_folder
            }
        };
        match self.progress.epoch {
            // Batches are read ahead by a varying amount: only those that were trained on count.
            0 => {
                for (order, batches) in self.orders_so_far() {
                    let count = batches.saturating_mul(self.config.run.batch as u64);
                    let count = usize::try_from(count).unwrap_or(usize::MAX);
                    let images = order.samples(train).into_iter().take(count);
                    let images = images.map(|image| train.stand_in(image as usize));
                    trained.pixels.extend(images.map(|image| hashes[image]));
                }
            }
            _ => trained.pixels.extend(hashes),
        }
        // Those that were not read.
        trained.pixels.retain(|&hash| hash != 0);
        trained.pixels.sort_unstable();
        trained.pixels.dedup();
        Some(trained)
    }

    /// The orders in which images were taken within the first epoch, each with its number of batches: those of the
    /// steps, or the one that chose the connections before them, and those of the rounds' further batches, whose
    /// gradients decide what grows.
    fn orders_so_far(&self) -> impl Iterator<Item = (Order, u64)> {
        let of_steps = match self.progress.step {
            0 => u64::from(self.chose_connections()),
            _ => self.progress.batch,
        };
        let epoch = self.order(0);
        let rounds = match self.further_batches() {
            0 => 0..0,
            _ => self.trained.rounds_before..self.progress.rounds,
        };
        let further = rounds.map(|round| (self.further_order(round), self.further_batches()));
        std::iter::once((epoch, of_steps)).chain(further)
    }

    /// How many of a part's images, which must have been read, it was trained on; `None` if that is not known. The test
    /// images of a published set count as such, even if its makers included an image twice.
    pub(super) fn trained_on(&self, part: DataPart) -> Option<u64> {
        let data = self.data.evaluated_on(part);
        match data.test_part {
            TestPart::Published => None,
            TestPart::Given
            | TestPart::Folder(_)
            | TestPart::File(_)
            | TestPart::Nothing
            | TestPart::Unwanted
            | TestPart::SplitOff { .. } => data.test_images_among(&self.trained_images()?),
        }
    }
}
