//! Image folders: `train/CLASS/*` and a folder to test on, with files of any size.
//!
//! | file | job |
//! |---|---|
//! | `load.rs` | a folder as a data set |
//! | `scan.rs` | what a folder holds, and what does not belong there |
//! | `split.rs` | the files of one part, read and decoded when they are needed |
//! | `decode.rs`, `decode/` | JPEG, PNG, WebP and BMP; which way up a camera was held |
//! | `crop.rs` | the part of an image that the network sees: cut, resized |
//! | `no_decode.rs`, `no_crop.rs` | replace these two if the feature `image-folder` is left out |
//! | `bad_images.rs` | images that could not be read, if a run continues without them |
//! | `hashes.rs` | hashes by which images are recognised |
//! | `copies.rs` | test images that are training images as well |

mod bad_images;
mod copies;
#[cfg_attr(not(feature = "image-folder"), path = "no_crop.rs")]
mod crop;
#[cfg_attr(not(feature = "image-folder"), path = "no_decode.rs")]
mod decode;
mod hashes;
mod load;
mod scan;
mod split;

pub use bad_images::BadImage;
pub(in crate::data) use bad_images::{ADVICE, reason_of};
pub(in crate::data) use crop::Cutter;
#[cfg(feature = "image-folder")]
pub(crate) use decode::fuzz;
pub(in crate::data) use decode::{decode, hash};
pub(in crate::data) use hashes::{Hashes, of_pixels, of_planes};
pub(in crate::data) use load::{list, load};
pub(in crate::data) use scan::{Faults, TEST_FOLDERS};
pub use split::FolderSplit;
pub(in crate::data) use split::{File, content};
