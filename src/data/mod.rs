//! Real images, from their public files to normalised batches.
//!
//! The data's way: [`load`] finds the files that [`DataOptions`] name and checks them ([`Dataset`]). Its two halves ([`Images`]) are
//! bytes in memory ([`Split`]), the files of a folder ([`FolderSplit`]), which are decoded when they are needed, numbers in memory
//! ([`Vectors`]), or whatever else is a [`DataSource`]. A
//! [`Loader`] then runs ahead of the training step: its worker threads put the images of each batch in the epoch's [`Order`],
//! vary them ([`Augmentation`]), normalise them, and lay them out as the device wants them, a feature's values for the whole
//! batch side by side ([`Batch`]); bounded queues hand the batches over in order. Where a GPU has room for a whole set, it
//! can make the same batches itself ([`ResidentImages`]).
//!
//! | file | job |
//! |---|---|
//! | `catalogue.rs` | the known sets: their files, where these come from, their normalisation |
//! | `digits.rs` | the embedded digits |
//! | `idx.rs` | MNIST's IDX format, gzipped or plain |
//! | `cifar.rs` | the binary version of CIFAR-10 and CIFAR-100 |
//! | `class_names.rs` | the names of their classes |
//! | `class_sizes.rs` | images of each class, and what is said where a class has none |
//! | `contents.rs` | their published files, by checksum |
//! | `folder.rs` | image folders: their files, read when they are needed |
//! | `scan.rs` | what an image folder holds, and what does not belong there |
//! | `held_out.rs` | images split off to test by, where a folder has none for that |
//! | `decode.rs` | JPEG and PNG |
//! | `crop.rs` | the part of a folder's image that the network sees: cut, resized |
//! | `no_images.rs` | what stands for these two where the feature `image-folder` is left out |
//! | `dataset.rs` | what a loaded set is |
//! | `record.rs` | what a checkpoint keeps of a set, and what has changed since |
//! | `bad.rs` | images that could not be read, where a run goes on without them |
//! | `copies.rs` | test images that are training images as well |
//! | `hashes.rs` | hashes of images |
//! | `familiar.rs` | images that a network has learned from, known again by them |
//! | `check.rs` | reading every image, to find what is wrong before a run does |
//! | `images.rs` | the samples of one half of a set, wherever they are |
//! | `targets.rs` | what a network's outputs are compared with |
//! | `shuffle.rs` | the order of an epoch |
//! | `augmentation.rs` | how images are varied, and the random numbers behind it |
//! | `loader.rs` | worker threads and their queues |
//! | `interruptible.rs` | waiting for them no longer than a stop allows |
//! | `source.rs` | what a source of samples is: the trait |
//! | `readers.rs` | images as sources: bytes, augmented |
//! | `vectors.rs` | numbers in memory as a source |
//! | `assemble.rs` | one batch: read, normalised, transposed |
//! | `batch.rs` | what a batch is, and how a split is cut into them |
//! | `resident.rs`, `augment.rs` | the whole set on the device, and the kernel that makes batches of it |
//!
//! ```
//! use rootlet::data::{self, DataOptions, Loader, LoaderOptions, Order};
//!
//! let digits = data::load(&DataOptions::default())?;
//! let options = LoaderOptions { order: Order::Shuffled { seed: 1, epoch: 0 }, ..LoaderOptions::of_batch(32) };
//! let mut images = 0;
//! for batch in Loader::start(digits.train.clone(), digits.shape, &digits.normalisation, options)? {
//!     images += batch?.count;
//! }
//! assert_eq!(images, digits.train.len());
//! # Ok::<(), rootlet::Error>(())
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

mod assemble;
mod augment;
mod augmentation;
mod bad;
mod batch;
mod catalogue;
mod check;
mod cifar;
mod class_names;
mod class_sizes;
mod contents;
mod copies;
#[cfg(feature = "image-folder")]
mod crop;
mod dataset;
#[cfg(feature = "image-folder")]
mod decode;
mod digits;
mod familiar;
mod folder;
mod hashes;
mod held_out;
mod idx;
mod images;
mod interruptible;
mod loader;
#[cfg(not(feature = "image-folder"))]
mod no_images;
mod readers;
mod record;
mod resident;
mod scan;
mod shuffle;
mod source;
mod targets;
mod vectors;

pub(crate) use cifar::fuzz as fuzz_cifar;
#[cfg(feature = "image-folder")]
pub(crate) use decode::fuzz as fuzz_image;
pub(crate) use idx::fuzz as fuzz_idx;

pub use augment::{Augment, AugmentParams, AugmentState};
pub use augmentation::{Augmentation, Crop, Draws};
pub use bad::BadImage;
pub use batch::{Batch, LoaderOptions, Order, Share};
pub use catalogue::{NAMES, usual_augmentation};
pub use check::{Check, check};
pub use dataset::{Dataset, ImageShape, Normalisation, Split, TestPart};
pub use folder::{FolderSplit, NAME as IMAGE_FOLDER};
pub use images::Images;
pub(crate) use interruptible::Interruptible;
pub use interruptible::load_until;
pub use loader::Loader;
pub(crate) use loader::MOST_WORKERS;
pub use record::{DataRecord, PartRecord};
pub use resident::ResidentImages;
pub use source::{DataSource, Inputs, Reader, Reading};
pub use targets::{TargetKind, Targets};
pub use vectors::Vectors;

use catalogue::Format;
#[cfg(not(feature = "image-folder"))]
use no_images::{crop, decode};

/// Which data set to load, and from where. The default is the embedded digits, which need no files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataOptions {
    /// One of [`NAMES`].
    pub name: String,
    /// Folder that holds the set's files, or that holds a folder of the set's name with them. The embedded digits ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Use only the first so many training images, and the first so many test images. More than there are means all. Of an
    /// image folder these are the first of every class, then the second of every class, and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// What an image folder's images become; other sets have sizes and parts of their own.
    #[serde(default)]
    pub images: ImageOptions,
}

/// The size that a folder's images get, and which of them test where nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageOptions {
    /// Sides of the part of an image that the network sees, in pixels.
    pub size: usize,
    /// Length of an image's shorter side before the part is cut out, in an evaluation and for plain crops. `None` is 8/7 of
    /// `size`, as 256 is of ImageNet's 224; below 128 it is `size` itself, since small images are whole already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<usize>,
    /// Share of the training images that test where the folder has none for that: neither `val`, `validation`, `valid` nor
    /// `test`. With 0 there are no test images then.
    pub val_split: f64,
    /// What chooses them.
    pub seed: u32,
    /// Whether images that cannot be read are left out, rather than being an error: in training another one of the class takes
    /// the place.
    pub skip_bad: bool,
}

impl ImageOptions {
    /// Length of an image's shorter side before the part is cut out.
    pub fn resize(&self) -> usize {
        self.resize.unwrap_or_else(|| match self.size {
            0..128 => self.size,
            size => size.saturating_add(size / 7),
        })
    }
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self {
            size: 224,
            resize: None,
            val_split: 0.1,
            seed: 1,
            skip_bad: false,
        }
    }
}

impl Default for DataOptions {
    fn default() -> Self {
        Self {
            name: NAMES[0].to_owned(),
            dir: None,
            limit: None,
            images: ImageOptions::default(),
        }
    }
}

/// The two halves of a set as its format's reader finds them.
struct Halves {
    shape: ImageShape,
    train: Split,
    test: Split,
    notes: Vec<String>,
}

/// Reads and checks the whole of a data set; of an image folder only the names.
///
/// # Errors
/// [`Error::Value`] for an unknown name or a `limit` of 0, [`Error::Missing`] for a set that needs a `dir`, [`Error::Data`] for a
/// file that is missing, truncated or corrupt, and [`Error::Io`] for one that cannot be read.
pub fn load(source: &DataOptions) -> Result<Dataset> {
    if source.limit == Some(0) {
        return Err(Error::Value {
            option: "limit",
            must: "must be at least 1 image, or be left out to use them all".to_owned(),
            value: "0".to_owned(),
        });
    }
    if source.name == folder::NAME {
        return folder::load(source);
    }
    let known = catalogue::find(&source.name)?;
    let Halves {
        shape,
        mut train,
        mut test,
        notes,
    } = match &known.format {
        Format::Embedded => digits::load()?,
        Format::Idx => idx::load(known, &known.folder(source.dir.as_deref())?)?,
        Format::Cifar(layout) => cifar::load(known, layout, &known.folder(source.dir.as_deref())?)?,
    };
    if let Some(limit) = source.limit {
        train.truncate(limit);
        test.truncate(limit);
    }
    let mut data = Dataset {
        name: known.name.to_owned(),
        shape,
        classes: known.classes(),
        class_names: known
            .class_names
            .iter()
            .map(|&name| name.to_owned())
            .collect(),
        normalisation: Normalisation {
            mean: known.mean.to_vec(),
            std: known.std.to_vec(),
        },
        train: train.into(),
        test: test.into(),
        test_part: TestPart::Published,
        notes,
        untaught: Vec::new(),
    };
    data.note_classes();
    Ok(data)
}
