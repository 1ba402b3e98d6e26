//! What is known about the images that a network was trained on.

use std::sync::OnceLock;

use crate::data::ImageHashes;

/// The images that a network was trained on, by their hashes.
pub(super) struct Learned {
    /// Those before this part of the run; none if that is not known.
    pub before: Option<ImageHashes>,
    /// Rounds before this part of the run.
    pub rounds_before: u64,
    /// The hashes of training images in memory, by index: they stay the same.
    pub in_memory: OnceLock<Option<Vec<u64>>>,
}

impl Learned {
    /// For an untrained network.
    pub fn nothing() -> Self {
        Self {
            before: Some(ImageHashes::default()),
            rounds_before: 0,
            in_memory: OnceLock::new(),
        }
    }

    /// Marks the images that the network was trained on as unknown.
    pub fn forget(&mut self) {
        self.before = None;
    }
}
