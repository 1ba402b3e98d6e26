//! Hashes by which images are known again, of 64 bits each.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use xxhash_rust::xxh3::Xxh3;

/// The hash of an image that was not read.
const UNREAD: u64 = 0;

/// The hashes of a folder's images, of those that were read so far. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct Hashes(Arc<OnceLock<Box<[AtomicU64]>>>);

impl Hashes {
    /// Notes that image `index` of so many was read, which has this hash.
    pub fn note(&self, index: usize, images: usize, hash_of: impl FnOnce() -> u64) {
        let all = self
            .0
            .get_or_init(|| (0..images).map(|_| AtomicU64::new(UNREAD)).collect());
        if let Some(hash) = all.get(index).filter(|hash| hash.load(Relaxed) == UNREAD) {
            hash.store(hash_of(), Relaxed);
        }
    }

    /// The hash of each image, 0 of those that were not read.
    pub fn all(&self, images: usize) -> Vec<u64> {
        match self.0.get() {
            Some(all) => all.iter().map(|hash| hash.load(Relaxed)).collect(),
            None => vec![UNREAD; images],
        }
    }
}

/// The hash of an image by its pixels. `planes` are red, green and blue, `[y][x]`.
pub(super) fn of_planes(width: u32, height: u32, planes: [&[u8]; 3]) -> u64 {
    let mut hash = Xxh3::with_seed(u64::from(width) << 32 | u64::from(height));
    planes.iter().for_each(|plane| hash.update(plane));
    hash.digest().max(1)
}
