//! Batches of samples, made ahead of the training step.
//!
//! | file | job |
//! |---|---|
//! | `batch.rs` | what a batch is, and how a split is divided into batches |
//! | `shuffle.rs` | the order of an epoch |
//! | `balanced.rs` | the order of an epoch that has each class equally often |
//! | `assemble.rs` | one batch: read, normalised, transposed |
//! | `loader.rs` | worker threads and their queues |
//! | `interruptible.rs` | waiting for them no longer than a stop allows |
//! | `resident.rs`, `augment.rs` | the whole set on the device, and the kernel that makes batches from it |

mod assemble;
mod augment;
mod balanced;
mod batch;
mod interruptible;
mod loader;
mod resident;
mod shuffle;

pub use augment::{Augment, AugmentParams, AugmentState};
pub use batch::{Batch, LoaderOptions, Order, Share};
pub(crate) use interruptible::Interruptible;
pub use interruptible::{load_until, load_until_watched};
pub use loader::Loader;
pub(crate) use loader::MOST_WORKERS;
pub use resident::ResidentImages;
