//! Reads every image of a set, to find faults before a run does.

use std::collections::HashSet;

use rayon::prelude::*;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::augmentation::Part;
use super::image_folder::{
    self, ADVICE, BadImage, Cutter, Faults, content, decode, hash as pixels_of, reason_of,
};
use super::parts::{DataPart, HeldOut};
use super::published::IMAGE_FOLDER;
use super::{DataOptions, Dataset, FolderSplit};
use crate::error::Result;

/// The result of reading every image of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Everything in an image's place that cannot be read as one, training images first, each half by class and name:
    /// [`ImageOptions::skip_bad`](super::ImageOptions::skip_bad) leaves it out.
    pub bad: Vec<BadImage>,
    /// Folders that leave the classes unclear: no run continues with them.
    pub bad_folders: Vec<BadImage>,
    /// 128-bit XXH3 over the contents of all files, in hexadecimal; for a set in memory, over labels and pixels.
    pub contents: String,
    /// Test and validation images that are, by their pixels, training images as well; if the set has no such parts,
    /// training images that occur more than once, some of which may be held out.
    pub copies: usize,
}

/// Reads and decodes every image. For an image folder it lists what cannot be used and continues; the returned set
/// leaves out the entries that are not image files.
///
/// # Errors
/// As [`load`](super::load), except for such entries.
pub fn check(source: &DataOptions) -> Result<(Dataset, Check)> {
    let (data, faults) = match source.name == IMAGE_FOLDER {
        true => image_folder::list(source)?,
        false => (super::load(source)?, Faults::default()),
    };
    let others: Vec<HeldOut> = DataPart::ALL
        .into_iter()
        .filter_map(|part| data.part(part))
        .collect();
    let Some(train) = data.train.folder() else {
        // The files of other sets are checked as a whole when they are loaded.
        let record = data.record();
        let mut hash = Xxh3::new();
        hash.update(record.train.fingerprint.as_bytes());
        hash.update(record.test.fingerprint.as_bytes());
        let check = Check {
            bad: Vec::new(),
            bad_folders: Vec::new(),
            contents: format!("{:032x}", hash.digest128()),
            copies: 0,
        };
        return Ok((data, check));
    };
    let Faults {
        entries: mut bad,
        folders: bad_folders,
    } = faults;
    let mut hash = Xxh3::new();
    let of_train = digests(train, &mut bad);
    let others = others.iter().filter_map(|held| held.images.folder());
    let of_others: Vec<Digest> = others.flat_map(|split| digests(split, &mut bad)).collect();
    for digest in of_train.iter().chain(&of_others) {
        hash.update(&digest.bytes.to_le_bytes());
    }
    bad.sort_by_cached_key(|bad| (!bad.path.starts_with(train.folder()), bad.path.clone()));
    let known: HashSet<u64> = of_train.iter().map(|digest| digest.pixels).collect();
    let check = Check {
        bad,
        bad_folders,
        contents: format!("{:032x}", hash.digest128()),
        copies: match data.test.is_empty() && data.validation.is_none() {
            true => of_train.len() - known.len(),
            false => (of_others
                .iter()
                .filter(|digest| known.contains(&digest.pixels)))
            .count(),
        },
    };
    Ok((data, check))
}

/// Hashes of a file.
struct Digest {
    bytes: u128,
    pixels: u64,
}

/// Hashes of each file, without files that cannot be read, which are added to `bad`.
fn digests(split: &FolderSplit, bad: &mut Vec<BadImage>) -> Vec<Digest> {
    let one = |cutter: &mut _, index: usize| {
        let path = split.path(index);
        let read = content(&path).map_err(|error| {
            let reason = reason_of(error);
            reason.strip_suffix(ADVICE).unwrap_or(&reason).to_owned()
        });
        let mut output = vec![0; split.features()];
        let digest = read.and_then(|content| {
            let image = decode(&content)?;
            Cutter::cut(cutter, &image, Part::Middle, &mut output)?;
            Ok(Digest {
                bytes: xxh3_128(&content),
                pixels: pixels_of(&image),
            })
        });
        digest.map_err(|reason| BadImage { path, reason })
    };
    let found: Vec<_> = (0..split.len())
        .into_par_iter()
        .map_init(|| split.cutter(), one)
        .collect();
    let mut digests = Vec::with_capacity(found.len());
    for digest in found {
        match digest {
            Ok(digest) => digests.push(digest),
            Err(image) => bad.push(image),
        }
    }
    digests
}
