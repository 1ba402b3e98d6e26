//! Reading every image of a set, to find what is wrong before a run does.

use std::collections::HashSet;

use rayon::prelude::*;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::bad::BadImage;
use super::crop::Part;
use super::decode::decode;
use super::folder::content;
use super::{Dataset, FolderSplit, Images};
use crate::error::Error;

/// What reading every image of a set has shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Images that cannot be read, training images first, each half by class and name.
    pub bad: Vec<BadImage>,
    /// XXH3 of 128 bits over the contents of all files, in hexadecimal; of a set in memory over labels and pixels.
    pub contents: String,
    /// Test images that are, to the byte, training images as well.
    pub copies: usize,
}

/// Reads and decodes every image.
pub fn check(data: &Dataset) -> Check {
    let (Images::Folder(train), Images::Folder(test)) = (&data.train, &data.test) else {
        // Files of other sets are checked as a whole when they are loaded.
        let record = data.record();
        let mut hash = Xxh3::new();
        hash.update(record.train.fingerprint.as_bytes());
        hash.update(record.test.fingerprint.as_bytes());
        return Check {
            bad: Vec::new(),
            contents: format!("{:032x}", hash.digest128()),
            copies: 0,
        };
    };
    let mut bad = Vec::new();
    let mut hash = Xxh3::new();
    let digests = [train, test].map(|split| digests(split, &mut bad));
    for digest in digests.iter().flatten() {
        hash.update(&digest.to_le_bytes());
    }
    let [train, test] = digests;
    let known: HashSet<u128> = train.into_iter().collect();
    Check {
        bad,
        contents: format!("{:032x}", hash.digest128()),
        copies: test.iter().filter(|digest| known.contains(digest)).count(),
    }
}

/// A hash of each file's content, without those that cannot be read; they are added to `bad`.
fn digests(split: &FolderSplit, bad: &mut Vec<BadImage>) -> Vec<u128> {
    let one = |cutter: &mut _, index: usize| {
        let path = split.path(index);
        let read = content(&path).map_err(|error| match error {
            Error::Data { reason, .. } => reason,
            Error::Io { source, .. } => source.to_string(),
            other => other.to_string(),
        });
        let mut output = vec![0; split.features()];
        let digest = read.and_then(|content| {
            let image = decode(&content)?;
            super::crop::Cutter::cut(cutter, &image, Part::Middle, &mut output)?;
            Ok(xxh3_128(&content))
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
