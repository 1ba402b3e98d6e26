//! Real images, from their public files to normalised batches.
//!
//! The data's way: [`load`] finds the files of a [`DataSource`], checks them and holds the images as bytes ([`Dataset`],
//! two [`Split`]s). A [`Loader`] then runs ahead of the training step: its worker threads put the images of each batch in
//! the epoch's [`Order`], normalise them, and lay them out as the device wants them, a feature's values for the whole
//! batch side by side ([`Batch`]); bounded queues hand the batches over in order.
//!
//! | file | job |
//! |---|---|
//! | `catalogue.rs` | the known sets: their files, where these come from, their normalisation |
//! | `digits.rs` | the embedded digits |
//! | `idx.rs` | MNIST's IDX format, gzipped or plain |
//! | `cifar.rs` | the binary version of CIFAR-10 and CIFAR-100 |
//! | `dataset.rs` | what a loaded set is |
//! | `shuffle.rs` | the order of an epoch |
//! | `loader.rs` | worker threads and their queues |
//! | `assemble.rs` | one batch: gathered, normalised, transposed |
//! | `batch.rs` | what a batch is, and how a split is cut into them |
//!
//! ```
//! use rootlet::data::{self, DataSource, Loader, LoaderOptions, Order};
//!
//! let digits = data::load(&DataSource::default())?;
//! let options = LoaderOptions { order: Order::Shuffled { seed: 1, epoch: 0 }, ..LoaderOptions::of_batch(32) };
//! let batches = Loader::start(digits.train.clone(), digits.shape, &digits.normalisation, options)?;
//! let images: usize = batches.map(|batch| batch.count).sum();
//! assert_eq!(images, digits.train.len());
//! # Ok::<(), rootlet::Error>(())
//! ```

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

mod assemble;
mod batch;
mod catalogue;
mod cifar;
mod dataset;
mod digits;
mod idx;
mod loader;
mod shuffle;

pub use batch::{Batch, LoaderOptions, Order};
pub use catalogue::NAMES;
pub use dataset::{Dataset, ImageShape, Normalisation, Split};
pub use loader::Loader;

use catalogue::Format;

/// Which data set to load, and from where. The default is the embedded digits, which need no files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSource {
    /// One of [`NAMES`].
    pub name: String,
    /// Folder that holds the set's files, or that holds a folder of the set's name with them. The embedded digits ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Use only the first so many training images, and the first so many test images. More than there are means all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
}

impl Default for DataSource {
    fn default() -> Self {
        Self {
            name: NAMES[0].to_owned(),
            dir: None,
            limit: None,
        }
    }
}

/// The two halves of a set as its format's reader finds them.
struct Halves {
    shape: ImageShape,
    train: Split,
    test: Split,
}

/// Reads and checks the whole of a data set.
///
/// # Errors
/// [`Error::Usage`] for an unknown name, a `limit` of 0, or a missing `dir` for a set that needs one, [`Error::Data`] for a
/// file that is missing, truncated or corrupt, and [`Error::Io`] for one that cannot be read.
pub fn load(source: &DataSource) -> Result<Dataset> {
    let known = catalogue::find(&source.name)?;
    if source.limit == Some(0) {
        return Err(Error::Usage(
            "--limit 0 leaves no images; give at least 1, or leave --limit out to use them all"
                .to_owned(),
        ));
    }
    let Halves {
        shape,
        mut train,
        mut test,
    } = match &known.format {
        Format::Embedded => digits::load()?,
        Format::Idx => idx::load(known, &known.folder(source.dir.as_deref())?)?,
        Format::Cifar(layout) => cifar::load(known, layout, &known.folder(source.dir.as_deref())?)?,
    };
    if let Some(limit) = source.limit {
        train.truncate(limit);
        test.truncate(limit);
    }
    Ok(Dataset {
        name: known.name.to_owned(),
        shape,
        classes: known.classes,
        normalisation: Normalisation {
            mean: known.mean.to_vec(),
            std: known.std.to_vec(),
        },
        train: Arc::new(train),
        test: Arc::new(test),
    })
}
