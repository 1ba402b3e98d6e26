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
//! | `dataset.rs` | what a loaded set is |
//! | `published/` | published image sets: where their files are, and the readers of them |
//! | `image_folder/` | image folders: what is in them, decoding, resizing |
//! | [`table`] | rows of numbers and categories from files |
//! | `sources/` | the trait of a source of samples, and sources in memory |
//! | `parts/` | validation and test: where they come from, and which one is evaluated when |
//! | `augmentation/` | how training images are varied |
//! | `batches/` | batches in the order of an epoch, made ahead of the training step or on the device |
//! | `shape.rs`, `normalisation.rs` | the size of an image; how pixels become inputs |
//! | `targets.rs`, `task.rs` | what a network's outputs are compared with; what it learns to tell from it |
//! | `class_sizes.rs` | samples per class, and the notes if a class has none |
//! | `check.rs` | reading every image, to find faults before a run does |
//! | `record.rs` | what a checkpoint keeps of a set, and what has changed since |
//! | `image_hashes.rs`, `train_test_overlap.rs` | hashes of the images that a network was trained on; recognising them among test images |
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

mod augmentation;
// `build.rs` names its kernel.
pub(crate) mod batches;
mod check;
mod class_sizes;
mod dataset;
mod image_folder;
mod image_hashes;
mod load;
mod normalisation;
mod options;
mod parts;
#[doc(hidden)]
pub mod published;
mod record;
mod shape;
mod sources;
// The parts of a table's rules, and what the command shows of a table.
#[doc(hidden)]
pub mod table;
mod targets;
mod task;
mod train_test_overlap;

#[cfg(feature = "image-folder")]
pub(crate) use image_folder::fuzz as fuzz_image;
pub(crate) use published::{fuzz_cifar, fuzz_idx};
pub(crate) use table::fuzz as fuzz_table;

pub(crate) use augmentation::weigh_pair;
pub use augmentation::{Augmentation, Crop, Draws, Mixing, Operations};
// For the crate's own kernels.
#[doc(hidden)]
pub use batches::{Augment, AugmentParams, AugmentState};
pub use batches::{Batch, Loader, LoaderOptions, Order, Share};
pub(crate) use batches::{Interruptible, MOST_WORKERS};
#[doc(hidden)]
pub use batches::{ResidentImages, load_until, load_until_watched};
#[doc(hidden)]
pub use check::{Check, check};
pub use dataset::Dataset;
#[doc(hidden)]
pub use image_folder::{BadImage, FolderSplit};
pub use image_hashes::ImageHashes;
pub use load::load;
#[doc(hidden)]
pub use load::load_to_test;
pub(crate) use load::load_watched;
pub use normalisation::Normalisation;
pub use options::{DataOptions, ImageOptions};
pub use parts::{DataPart, HeldOut, TestPart};
#[doc(hidden)]
pub use published::{IMAGE_FOLDER, NAMES, is_path, usual_augmentation};
pub use record::DataRecord;
#[doc(hidden)]
pub use record::{HeldOutRecord, PartRecord};
pub use shape::ImageShape;
pub use sources::{DataSource, Images, Inputs, Reader, Reading, Split, Vectors};
pub use table::{Missing, Preprocessing, TableOptions};
#[doc(hidden)]
pub use targets::MixedLabels;
pub use targets::{TargetKind, Targets};
pub use task::Task;
