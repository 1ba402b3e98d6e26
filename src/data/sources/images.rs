//! The samples of one half of a data set, wherever they are.

use std::any::Any;
use std::sync::Arc;

use super::definition::DataSource;
use crate::data::{FolderSplit, Split, TargetKind};

/// The training half or the test half of a set: any [`DataSource`], shared by its readers.
#[derive(Clone, Debug)]
pub struct Images(Arc<dyn DataSource>);

impl Images {
    /// The source that reads them.
    pub fn source(&self) -> &dyn DataSource {
        self.0.as_ref()
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.source().len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Batches in one pass over the images, including the last, smaller one; 0 for a `batch` of 0.
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

    /// The class of image `index`. As for a slice, an index past the end panics.
    pub fn label(&self, index: usize) -> u32 {
        self.source().label(index)
    }

    /// The images, if they are in memory.
    pub fn memory(&self) -> Option<&Split> {
        self.downcast()
    }

    /// The files, if the images are in a folder.
    pub fn folder(&self) -> Option<&FolderSplit> {
        self.downcast()
    }

    /// The image that is trained on instead of image `index`: itself, except for files that were left out.
    pub(crate) fn stand_in(&self, index: usize) -> usize {
        self.folder().map_or(index, |split| split.stand_in(index))
    }

    /// The source, if it has that type.
    fn downcast<S: DataSource>(&self) -> Option<&S> {
        let source: &dyn Any = self.source();
        source.downcast_ref()
    }
}

impl<S: DataSource> From<S> for Images {
    fn from(source: S) -> Self {
        Images(Arc::new(source))
    }
}

impl<S: DataSource> From<Arc<S>> for Images {
    fn from(source: Arc<S>) -> Self {
        Images(source)
    }
}

impl From<Arc<dyn DataSource>> for Images {
    fn from(source: Arc<dyn DataSource>) -> Self {
        Images(source)
    }
}
