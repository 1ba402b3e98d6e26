//! Test images that are training images as well. Every test image can be compared with every training image by its
//! length, which is known; only files of equal length are read.

use std::collections::{BTreeMap, HashSet};

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::FolderSplit;
use super::decode::decode;
use super::folder_split::content;

/// Test images that are compared; of more, so many, evenly spread.
const SAMPLE: usize = 256;
/// Files that are read at most: seconds on a disk.
const MOST_FILES: usize = 8192;
/// Their bytes at most.
const MOST_BYTES: u64 = 256 << 20;

/// What a comparison has shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Copies {
    /// Test images that were compared.
    pub compared: usize,
    /// Those of them that are, to the byte, training images.
    pub found: usize,
    /// Whether there may be more among them: too many files have one length.
    pub perhaps_more: bool,
}

/// The files of one length.
#[derive(Default)]
struct SameLength {
    train: Vec<usize>,
    test: Vec<usize>,
}

impl SameLength {
    fn files(&self) -> usize {
        self.train.len() + self.test.len()
    }
}

/// Looks for test images among the training images. Where more files have one length than are read, some of either are.
pub(super) fn copies(train: &FolderSplit, test: &FolderSplit) -> Copies {
    let mut lengths: BTreeMap<u64, SameLength> = BTreeMap::new();
    let sampled: Vec<usize> = (0..test.len())
        .step_by(test.len().div_ceil(SAMPLE).max(1))
        .collect();
    for &index in &sampled {
        let of_length = lengths.entry(test.files[index].bytes).or_default();
        of_length.test.push(index);
    }
    for (index, file) in train.files.iter().enumerate() {
        if let Some(of_length) = lengths.get_mut(&file.bytes) {
            of_length.train.push(index);
        }
    }
    lengths.retain(|_, of_length| !of_length.train.is_empty());
    let mut lengths: Vec<(u64, SameLength)> = lengths.into_iter().collect();
    // The few before the many, so that as many as can be are compared with all of their length.
    lengths.sort_by_key(|(_, of_length)| of_length.files());
    let (mut files, mut bytes) = (MOST_FILES, MOST_BYTES);
    let mut perhaps_more = false;
    for (length, of_length) in &mut lengths {
        let room = usize::try_from(bytes / (*length).max(1)).unwrap_or(usize::MAX);
        let room = room.min(files);
        perhaps_more |= of_length.files() > room;
        let for_test = of_length.test.len().min(room / 2);
        spread(&mut of_length.test, for_test);
        spread(&mut of_length.train, room - for_test);
        files -= of_length.files();
        bytes -= of_length.files() as u64 * *length;
    }
    let found = lengths
        .par_iter()
        .map(
            |(
                _,
                SameLength {
                    train: of_train,
                    test: of_test,
                },
            )| {
                let known: HashSet<u128> = (of_train.par_iter())
                    .filter_map(|&index| digest(train, index))
                    .collect();
                let same = |&&index: &&usize| is_copy(test, index, &known);
                of_test.par_iter().filter(same).count()
            },
        )
        .sum();
    Copies {
        compared: sampled.len(),
        found,
        perhaps_more,
    }
}

/// Keeps `most` items, evenly spread.
fn spread(items: &mut Vec<usize>, most: usize) {
    let all = items.len();
    if all > most {
        *items = (0..most).map(|i| items[i * all / most]).collect();
    }
}

/// Whether a test image is one of these. What is damaged is reported as that, wherever else it lies.
fn is_copy(split: &FolderSplit, index: usize, known: &HashSet<u128>) -> bool {
    let bytes = content(&split.path(index));
    bytes.is_ok_and(|bytes| known.contains(&xxh3_128(&bytes)) && decode(&bytes).is_ok())
}

/// A hash of a file's content; none where it cannot be read, which is reported elsewhere.
fn digest(split: &FolderSplit, index: usize) -> Option<u128> {
    content(&split.path(index))
        .ok()
        .map(|bytes| xxh3_128(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_of_many_are_spread_over_all() {
        let mut items: Vec<usize> = (0..10).collect();
        spread(&mut items, 10);
        assert_eq!(items.len(), 10);
        spread(&mut items, 4);
        assert_eq!(items, [0, 2, 5, 7]);
        spread(&mut items, 0);
        assert_eq!(items, [0usize; 0]);
    }
}
