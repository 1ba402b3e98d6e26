//! Holding out a part of the training samples.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::data::image_folder::{File, Hashes, TEST_FOLDERS};
use crate::data::{FolderSplit, Split};
use crate::error::option::VAL_SPLIT;
use crate::error::{Error, Refusal, Result};

impl FolderSplit {
    /// Training images and held-out images: `share` of every class, leaving at least one image for training. The choice
    /// depends on the seed and the images' names, so that adding or removing images moves few others. Nothing is split
    /// off for a share of 0.
    ///
    /// # Errors
    /// The share holds no image out.
    pub(in crate::data) fn split_off(self, share: f64, seed: u32) -> Result<(Self, Self)> {
        let classes: Vec<u32> = self.files.iter().map(|file| file.class).collect();
        let held = chosen(&classes, |at| self.rank(at, seed), share);
        if share > 0.0 && !held.contains(&true) {
            let sizes = self.sizes();
            let way_out = match sizes.iter().any(|&size| size > 1) {
                true => format!("put some into val/<class>/*, or give a larger {VAL_SPLIT}"),
                false => "put others into val/<class>/*".to_owned(),
            };
            return Err(Error::Data {
                path: self.folder,
                reason: format!(
                    "there are no images for validation: a {VAL_SPLIT} of {share} holds out none of its {} images \
                     in {} classes, because one of each class stays, and there is no folder {} beside it with \
                     others; {way_out}",
                    self.files.len(),
                    sizes.len(),
                    TEST_FOLDERS.join(", "),
                ),
            });
        }
        let part = |requested: bool| -> Vec<File> {
            let files = self.files.iter().zip(&held);
            files
                .filter(|(_, held)| **held == requested)
                .map(|(file, _)| file.clone())
                .collect()
        };
        let (train, other) = (part(false), part(true));
        let split = |files| Self {
            files,
            folder: self.folder.clone(),
            classes: self.classes.clone(),
            bad: self.bad.clone(),
            hashes: Hashes::default(),
            ..self
        };
        Ok((split(train), split(other)))
    }

    /// The rank of an image: a hash of `<class>/<file>`.
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

impl Split {
    /// As [`FolderSplit::split_off`], by the images' pixels: equal images are on one side, unless the share ends
    /// between them.
    ///
    /// # Errors
    /// The share holds no image out.
    pub(in crate::data) fn split_off(self, share: f64, seed: u32) -> Result<(Self, Self)> {
        let rank = |at| xxh3_64_with_seed(self.image(at), seed.into());
        let held = chosen(self.labels(), rank, share);
        if share > 0.0 && !held.contains(&true) {
            return Err(Error::refused(Refusal::HoldsNone {
                share,
                images: self.len(),
            }));
        }
        let part = |requested: bool| {
            let own = || (0..self.len()).filter(|&at| held[at] == requested);
            let images = own().flat_map(|at| self.image(at).iter().copied());
            let labels = own().map(|at| self.label(at));
            Self::new(self.features(), images.collect(), labels.collect())
        };
        Ok((part(false)?, part(true)?))
    }
}

/// Which samples of these classes are held out: `share` of every class, those with the lowest ranks.
pub(in crate::data) fn chosen(
    classes: &[u32],
    rank: impl Fn(usize) -> u64,
    share: f64,
) -> Vec<bool> {
    let mut order: Vec<(u32, u64, usize)> = (classes.iter().enumerate())
        .map(|(at, &class)| (class, rank(at), at))
        .collect();
    order.sort_unstable();
    let groups: Vec<&[(u32, u64, usize)]> = order.chunk_by(|a, b| a.0 == b.0).collect();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let mut held = vec![false; classes.len()];
    for (group, count) in groups.iter().zip(counts(&sizes, share)) {
        for &(_, _, at) in &group[..count] {
            held[at] = true;
        }
    }
    held
}

/// How many to hold out of classes of these sizes. The rounding error of a class's share carries over to the next
/// class, so that the sum is right even for small classes.
fn counts(sizes: &[usize], share: f64) -> Vec<usize> {
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
