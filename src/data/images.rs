//! The images of a split, wherever they are: in memory as bytes, or files in a folder.

use std::sync::Arc;

use super::{FolderSplit, Split};

/// The training half or the test half of a set.
#[derive(Clone, Debug)]
pub enum Images {
    /// All of them in memory.
    Memory(Arc<Split>),
    /// Files that are read when they are wanted.
    Folder(Arc<FolderSplit>),
}

impl Images {
    /// Number of images.
    pub fn len(&self) -> usize {
        match self {
            Images::Memory(split) => split.len(),
            Images::Folder(split) => split.len(),
        }
    }

    /// Whether there is no image at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Batches in one pass over the images, the last and smaller one included; 0 for a `batch` of 0.
    pub fn batches(&self, batch: usize) -> u64 {
        match batch {
            0 => 0,
            _ => self.len().div_ceil(batch) as u64,
        }
    }

    /// Values of one image.
    pub fn features(&self) -> usize {
        match self {
            Images::Memory(split) => split.features(),
            Images::Folder(split) => split.features(),
        }
    }

    /// The class of image `index`. Like a slice's, an index past the end panics.
    pub fn label(&self, index: usize) -> u32 {
        match self {
            Images::Memory(split) => split.label(index),
            Images::Folder(split) => split.label(index),
        }
    }

    /// The images, if they are in memory.
    pub fn memory(&self) -> Option<&Arc<Split>> {
        match self {
            Images::Memory(split) => Some(split),
            Images::Folder(_) => None,
        }
    }

    /// The files, if the images are in a folder.
    pub fn folder(&self) -> Option<&Arc<FolderSplit>> {
        match self {
            Images::Memory(_) => None,
            Images::Folder(split) => Some(split),
        }
    }
}

impl From<Arc<Split>> for Images {
    fn from(split: Arc<Split>) -> Self {
        Images::Memory(split)
    }
}

impl From<Arc<FolderSplit>> for Images {
    fn from(split: Arc<FolderSplit>) -> Self {
        Images::Folder(split)
    }
}
