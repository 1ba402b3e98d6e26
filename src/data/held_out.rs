//! Splitting off a part of the training images to test by, where a folder has none of its own.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::FolderSplit;
use super::folder_split::File;
use super::hashes::Hashes;
use super::scan::TEST_FOLDERS;
use crate::error::option::VAL_SPLIT;
use crate::error::{Error, Result};

impl FolderSplit {
    /// Training images and test images: of every class `share`, of which one image at least stays for training. Which
    /// ones is a matter of the seed and of their names, so that images which come or go move few of the others. Nothing
    /// is split off for a share of 0.
    ///
    /// # Errors
    /// A share that leaves no test image.
    pub(super) fn split_off(self, share: f64, seed: u32) -> Result<(Self, Self)> {
        let sizes = self.sizes();
        let held_out = counts(&sizes, share);
        if share > 0.0 && held_out.iter().all(|&count| count == 0) {
            let way_out = match sizes.iter().any(|&size| size > 1) {
                true => format!("put some into val/<class>/*, or give a larger {VAL_SPLIT}"),
                false => "put others into val/<class>/*".to_owned(),
            };
            return Err(Error::Data {
                path: self.folder,
                reason: format!(
                    "there are no images to test by: no folder {} is beside it, and of its {} images in {} classes a \
                     {VAL_SPLIT} of {share} holds none out, for one of each class stays; {way_out}",
                    TEST_FOLDERS.join(", "),
                    self.files.len(),
                    sizes.len(),
                ),
            });
        }
        let mut held = vec![false; self.files.len()];
        let mut first = 0;
        for (&size, &count) in sizes.iter().zip(&held_out) {
            let mut order: Vec<(u64, usize)> = (first..first + size)
                .map(|at| (self.rank(at, seed), at))
                .collect();
            order.sort_unstable();
            for &(_, at) in &order[..count] {
                held[at] = true;
            }
            first += size;
        }
        let part = |requested: bool| -> Vec<File> {
            let files = self.files.iter().zip(&held);
            files
                .filter(|(_, held)| **held == requested)
                .map(|(file, _)| file.clone())
                .collect()
        };
        let (train, test) = (part(false), part(true));
        let split = |files| Self {
            files,
            folder: self.folder.clone(),
            classes: self.classes.clone(),
            bad: self.bad.clone(),
            hashes: Hashes::default(),
            ..self
        };
        Ok((split(train), split(test)))
    }

    /// Which image goes first: a hash of `<class>/<file>`.
    fn rank(&self, index: usize, seed: u32) -> u64 {
        let File { class, name, .. } = &self.files[index];
        let name = [
            self.classes[*class as usize].as_bytes(),
            b"/",
            name.as_encoded_bytes(),
        ];
        xxh3_64_with_seed(&name.concat(), seed.into())
    }
}

/// How many to hold out of classes of so many images. What a class's share lacks of a whole image, or has too much,
/// goes over to the next class, so that the sum is right also where classes are small.
pub(super) fn counts(sizes: &[usize], share: f64) -> Vec<usize> {
    let mut owed = 0.0;
    let count = |&size: &usize| {
        owed += share * size as f64;
        let count = (owed.round() as usize).min(size.saturating_sub(1));
        // What a class could not give is not asked of the next one.
        owed = (owed - count as f64).min(0.5);
        count
    };
    sizes.iter().map(count).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_class_gives_its_share_and_keeps_one() {
        assert_eq!(counts(&[1300, 1000, 70], 0.1), [130, 100, 7]);
        assert_eq!(counts(&[12, 12, 12], 0.1), [1, 1, 2]);
        assert_eq!(counts(&[4; 10], 0.1), [0, 1, 0, 1, 0, 0, 1, 0, 1, 0]);
        assert_eq!(counts(&[1; 50], 0.1), [0; 50]);
        assert_eq!(counts(&[1, 1, 1, 1, 1, 1, 1, 100], 0.1)[7], 11);
        assert_eq!(counts(&[2, 3], 0.99), [1, 2]);
        assert_eq!(counts(&[5, 5], 0.0), [0, 0]);
    }

    proptest! {
        #[test]
        fn the_sum_is_the_share_of_all(sizes in prop::collection::vec(10usize..500, 1..60), share in 0.01..0.8) {
            let counts = counts(&sizes, share);
            let all: usize = sizes.iter().sum();
            prop_assert!((counts.iter().sum::<usize>() as f64 - share * all as f64).abs() < 0.51);
            for (count, size) in counts.into_iter().zip(sizes) {
                prop_assert!((count as f64 - share * size as f64).abs() < 1.01 && count < size);
            }
        }
    }
}
