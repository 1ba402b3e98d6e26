//! Real images, from their public files to normalised batches, and tables.
//!
//! The way of the data: [`load`] finds the files that [`DataOptions`] names and checks them ([`Dataset`]). Its parts
//! ([`Images`]) are bytes in memory ([`Split`]), the files of a folder ([`FolderSplit`]), which are decoded when they
//! are needed, numbers in memory ([`Vectors`]), or any other [`DataSource`]. A [`Loader`] then runs ahead of the
//! training step: its worker threads put the images of each batch in the epoch's [`Order`], vary them
//! ([`Augmentation`]), normalise them, and lay them out as the device wants them, with a feature's values for the whole
//! batch side by side ([`Batch`]); bounded queues deliver the batches in order. If a GPU has room for a whole set, it
//! can make the same batches itself ([`ResidentImages`]).
//!
//! | file | job |
//! |---|---|
//! | `options.rs`, `load.rs` | which set to load; loading it |
//! | `known.rs`, `catalogue.rs` | what a known set is; all of them: their files, where to get them, their normalisation |
//! | `published.rs`, `downloads.rs` | the known sets as published; addresses and lengths of their files |
//! | `digits.rs` | the embedded digits |
//! | `idx.rs` | MNIST's IDX format, gzipped or plain |
//! | `cifar.rs` | the binary version of CIFAR-10 and CIFAR-100 |
//! | `class_names.rs` | the names of their classes |
//! | `class_sizes.rs` | images per class, and the notes if a class has none |
//! | `contents.rs`, `checksums.rs` | their published files, by checksum |
//! | `folder.rs`, `folder_split.rs` | image folders: listing one; its files, read when they are needed |
//! | `photos.rs` | image files without classes, to predict for |
//! | `scan.rs` | what an image folder holds, and what does not belong there |
//! | `held_out.rs` | samples held out of the training samples |
//! | `decode.rs`, `decode/` | JPEG, PNG, WebP and BMP; which way up a camera was held |
//! | `crop.rs` | the part of a folder's image that the network sees: cut, resized |
//! | `no_decode.rs`, `no_crop.rs` | replace these two if the feature `image-folder` is left out |
//! | `dataset.rs` | what a loaded set is |
//! | `parts.rs`, `test_part.rs`, `judged.rs` | parts that nothing is learned from; where they come from; a set seen through one of them |
//! | `shape.rs`, `normalisation.rs`, `split.rs` | the size of an image; how pixels become inputs; images in memory |
//! | `record.rs` | what a checkpoint keeps of a set, and what has changed since |
//! | `bad.rs` | images that could not be read, if a run continues without them |
//! | `copies.rs` | test images that are training images as well |
//! | `hashes.rs` | hashes of images |
//! | `familiar.rs` | recognising images that a network has learned from, by their hashes |
//! | `check.rs` | reading every image, to find faults before a run does |
//! | `images.rs` | the samples of one half of a set, wherever they are |
//! | `task.rs` | what a network learns to tell |
//! | `targets.rs` | what a network's outputs are compared with |
//! | `shuffle.rs` | the order of an epoch |
//! | `augmentation.rs` | how images are varied, and the random numbers that decide it |
//! | `operations.rs`, `image_operation.rs` | RandAugment: which operations vary an image, and what they do |
//! | `mixing.rs` | mixup and CutMix |
//! | `balanced.rs` | the order of an epoch that has each class as often |
//! | `loader.rs` | worker threads and their queues |
//! | `interruptible.rs` | waiting for them no longer than a stop allows |
//! | `source.rs` | the trait of a source of samples |
//! | `readers.rs` | images as sources: bytes, augmented |
//! | `vectors.rs` | numbers in memory as a source |
//! | [`table`] | rows of numbers and categories from files |
//! | `assemble.rs` | one batch: read, normalised, transposed |
//! | `batch.rs` | what a batch is, and how a split is divided into batches |
//! | `resident.rs`, `augment.rs` | the whole set on the device, and the kernel that makes batches from it |
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

mod assemble;
mod augment;
mod augmentation;
mod bad;
mod balanced;
mod batch;
mod catalogue;
mod check;
mod checksums;
mod cifar;
mod class_names;
mod class_sizes;
mod contents;
mod copies;
#[cfg_attr(not(feature = "image-folder"), path = "no_crop.rs")]
mod crop;
mod dataset;
#[cfg_attr(not(feature = "image-folder"), path = "no_decode.rs")]
mod decode;
mod digits;
mod downloads;
mod familiar;
mod folder;
mod folder_split;
mod hashes;
mod held_out;
mod idx;
mod image_operation;
mod images;
mod interruptible;
mod judged;
mod known;
mod learned_images;
mod load;
mod loader;
mod mixing;
mod normalisation;
mod operations;
mod options;
mod parts;
mod photos;
#[doc(hidden)]
pub mod published;
mod readers;
mod record;
mod resident;
mod scan;
mod shape;
mod shuffle;
mod source;
mod split;
// The parts of a table's rules, and what the command shows of a table.
#[doc(hidden)]
pub mod table;
mod targets;
mod task;
mod test_part;
mod vectors;

pub(crate) use cifar::fuzz as fuzz_cifar;
#[cfg(feature = "image-folder")]
pub(crate) use decode::fuzz as fuzz_image;
pub(crate) use idx::fuzz as fuzz_idx;
pub(crate) use table::fuzz as fuzz_table;

// For the crate's own kernels.
#[doc(hidden)]
pub use augment::{Augment, AugmentParams, AugmentState};
pub use augmentation::{Augmentation, Crop, Draws};
#[doc(hidden)]
pub use bad::BadImage;
pub use batch::{Batch, LoaderOptions, Order, Share};
#[doc(hidden)]
pub use catalogue::{IMAGE_FOLDER, NAMES, is_path, usual_augmentation};
#[doc(hidden)]
pub use check::{Check, check};
pub use dataset::Dataset;
#[doc(hidden)]
pub use folder_split::FolderSplit;
pub use images::Images;
pub(crate) use interruptible::Interruptible;
#[doc(hidden)]
pub use interruptible::{load_until, load_until_watched};
pub use learned_images::LearnedImages;
pub use load::load;
#[doc(hidden)]
pub use load::load_to_test;
pub(crate) use load::load_watched;
pub use loader::Loader;
pub(crate) use loader::MOST_WORKERS;
pub use mixing::Mixing;
pub(crate) use mixing::weigh_pair;
pub use normalisation::Normalisation;
pub use operations::Operations;
pub use options::{DataOptions, ImageOptions};
pub use parts::{DataPart, HeldOut};
#[doc(hidden)]
pub use photos::Photos;
pub use record::DataRecord;
#[doc(hidden)]
pub use record::HeldOutRecord;
#[doc(hidden)]
pub use record::PartRecord;
#[doc(hidden)]
#[doc(hidden)]
pub use resident::ResidentImages;
pub use shape::ImageShape;
pub use source::{DataSource, Inputs, Reader, Reading};
pub use split::Split;
pub use table::{Missing, Preprocessing, TableOptions};
#[doc(hidden)]
pub use targets::MixedLabels;
pub use targets::{TargetKind, Targets};
pub use task::Task;
pub use test_part::TestPart;
pub use vectors::Vectors;
