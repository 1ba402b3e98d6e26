//! Numbers as one hash, by which ranks find out whether they have the same.

use xxhash_rust::xxh3::Xxh3Default;

/// A hash of what it was given, in that order: XXH3, 64 bits.
#[derive(Default)]
pub struct Fingerprint(Xxh3Default);

impl Fingerprint {
    /// Adds bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    /// Adds numbers of 32 bits.
    pub fn words<T: bytemuck::NoUninit>(&mut self, words: &[T]) {
        self.bytes(bytemuck::cast_slice(words));
    }

    /// The hash.
    pub fn finish(&self) -> u64 {
        self.0.digest()
    }
}
