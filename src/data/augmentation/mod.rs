//! How training images are varied.
//!
//! | file | job |
//! |---|---|
//! | `crop_and_flip.rs` | borders, crops and mirroring, and the random numbers that decide them |
//! | `rand_augment.rs`, `operation.rs` | RandAugment: which operations vary an image, and what they do to its pixels |
//! | `mixing.rs` | mixup and CutMix |

mod crop_and_flip;
mod mixing;
mod operation;
mod rand_augment;

pub use crop_and_flip::{Augmentation, Crop, Draws};
pub(in crate::data) use crop_and_flip::{Part, Place};
pub(in crate::data) use mixing::Mixed;
pub use mixing::Mixing;
pub(crate) use mixing::weigh_pair;
pub use rand_augment::Operations;
