//! Which images a network has learned from, as kept in checkpoints.

/// 64-bit hashes of the images that a network has learned from, by which they are recognised wherever they lie. Both
/// lists ascend as unsigned numbers.
///
/// Hashes are over the pixels as decoded from the file, before resizing: other contents of the file, lossless
/// recompression, and the size that the network sees change nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageHashes {
    /// XXH3 with `width * 2^32 + height` as the seed, over the pixels by rows, red, green and blue of each; a grey
    /// pixel counts as three equal values.
    pub pixels: Vec<u64>,
    /// The hashes that earlier versions kept instead, and that a resumed run still knows: for a JPEG file over its
    /// bytes, for any other image over its red, then its green, then its blue pixels.
    pub older: Vec<u64>,
}

impl ImageHashes {
    /// Whether it has no hashes.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty() && self.older.is_empty()
    }
}
