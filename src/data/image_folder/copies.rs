//! Test images that are training images as well.
//!
//! The sampled test images are first compared by file length, which is known, and by bytes if the length matches. The
//! rest are compared by pixels, whatever else is in the files: with all training images if these are few, otherwise
//! with those whose files have the same name apart from the extension.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsStr;
use std::path::Path;

use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use super::decode::{decode, hash};
use super::split::{File, content};
use crate::data::FolderSplit;

/// Number of test images that are compared; of a larger set, this many, evenly spread.
const SAMPLE: usize = 256;
/// How much is read or decoded at most.
#[derive(Clone, Copy)]
struct Most {
    files: usize,
    bytes: u64,
}

/// Files that are read: seconds on a disk.
const READ: Most = Most {
    files: 8192,
    bytes: 256 << 20,
};
/// Files that are decoded: about a second of one core for JPEG files.
const DECODED: Most = Most {
    files: 8192,
    bytes: 64 << 20,
};

/// The result of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::data) struct Copies {
    /// Test images that were compared.
    pub compared: usize,
    /// Those of them that are training images.
    pub found: usize,
    /// Whether there may be more: not all pairs were compared.
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

/// Looks for test images among the training images.
pub(in crate::data) fn copies(train: &FolderSplit, test: &FolderSplit) -> Copies {
    let sampled: Vec<usize> = (0..test.len())
        .step_by(test.len().div_ceil(SAMPLE).max(1))
        .collect();
    let same_files = by_bytes(train, test, &sampled);
    let left: Vec<usize> = (sampled.iter().copied())
        .filter(|index| !same_files.contains(index))
        .collect();
    let (same_pixels, perhaps_more) = by_pixels(train, test, &left, DECODED);
    Copies {
        compared: sampled.len(),
        found: same_files.len() + same_pixels,
        perhaps_more,
    }
}

/// The test images whose files equal a training image's file. If one length has more files than are read, a part of
/// each side is read.
fn by_bytes(train: &FolderSplit, test: &FolderSplit, sampled: &[usize]) -> BTreeSet<usize> {
    let mut lengths: BTreeMap<u64, SameLength> = BTreeMap::new();
    for &index in sampled {
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
    // Smaller groups before larger ones, so that as many files as possible are compared with all files of their length.
    lengths.sort_by_key(|(_, of_length)| of_length.files());
    let Most {
        mut files,
        mut bytes,
    } = READ;
    for (length, of_length) in &mut lengths {
        let room = usize::try_from(bytes / (*length).max(1)).unwrap_or(usize::MAX);
        let room = room.min(files);
        let for_test = of_length.test.len().min(room / 2);
        spread(&mut of_length.test, for_test);
        spread(&mut of_length.train, room - for_test);
        files -= of_length.files();
        bytes -= of_length.files() as u64 * *length;
    }
    let same = |(_, of_length): &(u64, SameLength)| -> Vec<usize> {
        let digests = of_length.train.par_iter();
        let known: HashSet<u128> = digests.filter_map(|&index| digest(train, index)).collect();
        let same = |index: &&usize| is_copy(test, **index, &known);
        of_length.test.par_iter().filter(same).copied().collect()
    };
    lengths.par_iter().flat_map(same).collect()
}

/// How many of these test images are training images by their pixels, and whether there may be more.
fn by_pixels(train: &FolderSplit, test: &FolderSplit, left: &[usize], most: Most) -> (usize, bool) {
    let bytes = |split: &FolderSplit, index: usize| split.files[index].bytes;
    let total = |split, images: &[usize]| -> u64 {
        let bytes = images.iter().map(|&index| bytes(split, index));
        // A file can claim any length.
        bytes.fold(0, u64::saturating_add)
    };
    let files = most.files.saturating_sub(left.len());
    let mut room = most.bytes.saturating_sub(total(test, left));
    let mut candidates: Vec<usize> = (0..train.len()).collect();
    let few = candidates.len() <= files && total(train, &candidates) <= room;
    if !few {
        let names: HashSet<&OsStr> = left.iter().map(|&index| stem(&test.files[index])).collect();
        candidates.retain(|&index| {
            let fits = bytes(train, index) <= room && names.contains(stem(&train.files[index]));
            room -= if fits { bytes(train, index) } else { 0 };
            fits
        });
        candidates.truncate(files);
    }
    if left.is_empty() || candidates.is_empty() {
        return (0, !few && !left.is_empty());
    }
    let known: HashSet<u64> = (candidates.par_iter())
        .filter_map(|&index| pixels(train, index))
        .collect();
    let is_known = |&&index: &&usize| pixels(test, index).is_some_and(|hash| known.contains(&hash));
    (left.par_iter().filter(is_known).count(), !few)
}

/// A file's name without its extension.
fn stem(file: &File) -> &OsStr {
    let name: &OsStr = &file.name;
    Path::new(name).file_stem().unwrap_or(name)
}

/// A hash of an image's pixels; `None` for a damaged file, which is reported elsewhere.
fn pixels(split: &FolderSplit, index: usize) -> Option<u64> {
    let bytes = content(&split.path(index)).ok()?;
    decode(&bytes).ok().map(|image| hash(&image))
}

/// Keeps `most` items, evenly spread.
fn spread(items: &mut Vec<usize>, most: usize) {
    let all = items.len();
    if all > most {
        *items = (0..most).map(|i| items[i * all / most]).collect();
    }
}

/// Whether a test image is one of these. A damaged image is reported as damaged, wherever else it occurs.
fn is_copy(split: &FolderSplit, index: usize, known: &HashSet<u128>) -> bool {
    let bytes = content(&split.path(index));
    bytes.is_ok_and(|bytes| known.contains(&xxh3_128(&bytes)) && decode(&bytes).is_ok())
}

/// A hash of a file's content; `None` if it cannot be read, which is reported elsewhere.
fn digest(split: &FolderSplit, index: usize) -> Option<u128> {
    content(&split.path(index))
        .ok()
        .map(|bytes| xxh3_128(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pictures in both folders, in files of different lengths, one of them under another name.
    #[cfg(feature = "image-folder")]
    #[test]
    fn where_training_images_are_many_those_of_the_same_name_are_compared() {
        use super::super::scan::scan;
        use std::fs;

        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, colour: u8, compression| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut encoder = png::Encoder::new(fs::File::create(path).unwrap(), 8, 8);
            encoder.set_color(png::ColorType::Rgb);
            encoder.set_compression(compression);
            let mut writer = encoder.write_header().unwrap();
            writer.write_image_data(&[colour; 192]).unwrap();
            writer.finish().unwrap();
        };
        put("train/a/one.png", 1, png::Compression::High);
        put("train/a/two.png", 2, png::Compression::High);
        put("val/a/one.PNG", 1, png::Compression::NoCompression);
        put("val/a/other.png", 2, png::Compression::NoCompression);
        let split = |name| {
            let folder = folder.path().join(name);
            scan(&folder, None, 8, 8, &mut Default::default()).unwrap()
        };
        let (train, test) = (split("train"), split("val"));
        assert!(by_bytes(&train, &test, &[0, 1]).is_empty());
        let found = |files, bytes| by_pixels(&train, &test, &[0, 1], Most { files, bytes });
        assert_eq!(found(4, 1 << 20), (2, false));
        assert_eq!(found(3, 1 << 20), (1, true));
        assert_eq!(found(4, 500), (0, true));
        assert_eq!(found(2, 1 << 20), (0, true));
    }

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
