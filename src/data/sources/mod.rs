//! Where samples come from.
//!
//! | file | job |
//! |---|---|
//! | `definition.rs` | the trait of a source of samples |
//! | `images.rs` | the samples of one part of a set, wherever they are |
//! | `split.rs` | images in memory |
//! | `vectors.rs` | numbers in memory |
//! | `readers.rs` | images in memory and in files as sources: bytes, augmented |

mod definition;
mod images;
mod readers;
mod split;
mod vectors;

pub(in crate::data) use definition::values_of;
pub use definition::{DataSource, Inputs, Reader, Reading};
pub use images::Images;
pub(in crate::data) use split::Halves;
pub use split::Split;
pub use vectors::Vectors;
