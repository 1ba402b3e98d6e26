//! 64-bit hashes by which images are recognised.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use xxhash_rust::xxh3::{Xxh3, xxh3_64_with_seed};

/// The hash of an image that was not read.
pub(in crate::data) const UNREAD: u64 = 0;

/// The hashes of a folder's images that have been read so far. Clones share them.
#[derive(Clone, Debug, Default)]
pub(in crate::data) struct Hashes(Arc<Kinds>);

#[derive(Debug, Default)]
struct Kinds {
    pixels: Noted,
    older: Noted,
}

/// One hash per image, allocated with the first one.
type Noted = OnceLock<Box<[AtomicU64]>>;

fn unread(images: usize) -> Box<[AtomicU64]> {
    (0..images).map(|_| AtomicU64::new(UNREAD)).collect()
}

fn note(all: &[AtomicU64], index: usize, hash_of: impl FnOnce() -> u64) {
    if let Some(hash) = all.get(index).filter(|hash| hash.load(Relaxed) == UNREAD) {
        hash.store(hash_of(), Relaxed);
    }
}

fn known(noted: &Noted, images: usize) -> Vec<u64> {
    match noted.get() {
        Some(all) => all.iter().map(|hash| hash.load(Relaxed)).collect(),
        None => vec![UNREAD; images],
    }
}

impl Hashes {
    /// Notes that image `index` of `images` was read: the hash of its pixels, and the hash of older versions if that is
    /// expected.
    pub fn note(
        &self,
        index: usize,
        images: usize,
        of_pixels: impl FnOnce() -> u64,
        of_older: impl FnOnce() -> u64,
    ) {
        let pixels = self.0.pixels.get_or_init(|| unread(images));
        note(pixels, index, of_pixels);
        if let Some(older) = self.0.older.get() {
            note(older, index, of_older);
        }
    }

    /// Notes what another process has read of the same images: hashes of the pixels of each and those of older versions,
    /// or [`UNREAD`]. The latter only matter if they are expected.
    pub fn add(&self, pixels: &[u64], older: &[u64]) {
        let noted = self.0.pixels.get_or_init(|| unread(pixels.len()));
        let lists = [Some((noted, pixels)), self.0.older.get().zip(Some(older))];
        for (noted, read) in lists.into_iter().flatten() {
            for (index, &hash) in read.iter().enumerate() {
                note(noted, index, || hash);
            }
        }
    }

    /// From here on, hashes are also noted as older versions computed them, for `images` images.
    pub fn expect_older(&self, images: usize) {
        self.0.older.get_or_init(|| unread(images));
    }

    /// The hash of each image's pixels, [`UNREAD`] for those that were not read.
    pub fn of_pixels(&self, images: usize) -> Vec<u64> {
        known(&self.0.pixels, images)
    }

    /// The hashes of older versions, for images read since they were expected.
    pub fn of_older(&self, images: usize) -> Vec<u64> {
        known(&self.0.older, images)
    }
}

/// The hash of an image by its pixels, `[y][x][channel]`, red, green and blue.
pub(in crate::data) fn of_pixels(width: u32, height: u32, pixels: &[u8]) -> u64 {
    xxh3_64_with_seed(pixels, seed(width, height)).max(1)
}

/// The hash that older versions computed from an image's pixels. `planes` are red, green and blue, `[y][x]`.
pub(in crate::data) fn of_planes(width: u32, height: u32, planes: [&[u8]; 3]) -> u64 {
    let mut hash = Xxh3::with_seed(seed(width, height));
    planes.iter().for_each(|plane| hash.update(plane));
    hash.digest().max(1)
}

/// The same bytes in another shape are another image.
fn seed(width: u32, height: u32) -> u64 {
    u64::from(width) << 32 | u64::from(height)
}
