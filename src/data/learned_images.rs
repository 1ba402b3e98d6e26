//! Which images a network has learned from, as checkpoints keep it.

/// Hashes of the images that a network has learned from, of 64 bits each, by which they are known again wherever they
/// lie. Both lists rise as unsigned numbers.
///
/// Hashes are over the pixels as they come out of the file, before they are resized: whatever else is in the file, how
/// it was compressed without loss, and the size that the network sees change nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LearnedImages {
    /// XXH3 with `width * 2^32 + height` as the seed over the pixels by rows, red, green and blue of each; a grey one
    /// has three equal ones.
    pub pixels: Vec<u64>,
    /// Those that versions before kept instead, and that a resumed run still knows: of a JPEG file over its bytes, of
    /// any other image over its red, then its green, then its blue pixels.
    pub older: Vec<u64>,
}

impl LearnedImages {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty() && self.older.is_empty()
    }
}
