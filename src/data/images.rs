//! The samples of one half of a data set, wherever they are.

use std::sync::Arc;

use super::source::DataSource;
use super::{FolderSplit, Split, TargetKind, Vectors};

/// The training half or the test half of a set.
#[derive(Clone, Debug)]
pub enum Images {
    /// Images in memory.
    Memory(Arc<Split>),
    /// Files that are read when they are needed.
    Folder(Arc<FolderSplit>),
    /// Samples of another source.
    Source(Arc<dyn DataSource>),
}

impl Images {
    /// Whatever reads them.
    pub fn source(&self) -> &dyn DataSource {
        match self {
            Images::Memory(split) => split.as_ref(),
            Images::Folder(split) => split.as_ref(),
            Images::Source(source) => source.as_ref(),
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.source().len()
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
        self.source().features()
    }

    /// What they are compared with.
    pub fn targets(&self) -> TargetKind {
        self.source().targets()
    }

    /// The class of image `index`. Like a slice's, an index past the end panics.
    pub fn label(&self, index: usize) -> u32 {
        self.source().label(index)
    }

    /// The images, if they are in memory.
    pub fn memory(&self) -> Option<&Arc<Split>> {
        match self {
            Images::Memory(split) => Some(split),
            _ => None,
        }
    }

    /// The files, if the images are in a folder.
    pub fn folder(&self) -> Option<&Arc<FolderSplit>> {
        match self {
            Images::Folder(split) => Some(split),
            _ => None,
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

impl From<Arc<dyn DataSource>> for Images {
    fn from(source: Arc<dyn DataSource>) -> Self {
        Images::Source(source)
    }
}

impl From<Vectors> for Images {
    fn from(vectors: Vectors) -> Self {
        Images::Source(Arc::new(vectors))
    }
}
