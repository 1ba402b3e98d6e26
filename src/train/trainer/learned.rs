//! What is known of the images that a network has learned from.

use std::sync::OnceLock;

use crate::data::LearnedImages;

/// The images that a network has learned from, by their hashes.
pub(super) struct Learned {
    /// Before this part of the run; none where that is not known.
    pub before: Option<LearnedImages>,
    /// Rounds before this part of the run.
    pub rounds_before: u64,
    /// Of training images in memory, by number: they stay the same.
    pub in_memory: OnceLock<Option<Vec<u64>>>,
}

impl Learned {
    /// Of a network that has learned nothing.
    pub fn nothing() -> Self {
        Self {
            before: Some(LearnedImages::default()),
            rounds_before: 0,
            in_memory: OnceLock::new(),
        }
    }

    /// Of a network that has learned from images of which nothing is known.
    pub fn forget(&mut self) {
        self.before = None;
    }
}
