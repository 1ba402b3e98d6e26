//! Published image sets, and the readers of their files.
//!
//! | file | job |
//! |---|---|
//! | `catalogue.rs`, `entry.rs` | all of them; what is known of one, and how its files are found |
//! | `class_names.rs` | the names of their classes |
//! | `downloads.rs`, `checksums.rs` | addresses and lengths of their files; checksums of the unpacked contents |
//! | `contents.rs` | which set a file belongs to, by its checksum |
//! | `lookup.rs` | a set's files and downloads, by its name |
//! | `read.rs` | a set's images, whatever the form of its files |
//! | `digits.rs` | the embedded digits |
//! | `idx.rs` | MNIST's IDX format, gzipped or plain |
//! | `cifar.rs` | the binary version of CIFAR-10 and CIFAR-100 |

mod catalogue;
mod checksums;
mod cifar;
mod class_names;
mod contents;
mod digits;
mod downloads;
mod entry;
mod idx;
mod lookup;
mod read;

pub(in crate::data) use catalogue::find;
pub use catalogue::{IMAGE_FOLDER, NAMES, is_path, usual_augmentation};
pub(crate) use cifar::fuzz as fuzz_cifar;
pub(in crate::data) use entry::Format;
pub(crate) use idx::fuzz as fuzz_idx;
pub use lookup::{Download, Published, published};
pub(in crate::data) use read::read;
