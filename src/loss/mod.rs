//! What a network is trained by and what it is evaluated by: losses and metrics, each a trait that this crate and
//! others implement alike.
//!
//! | file | job |
//! |---|---|
//! | `definition.rs` | the traits |
//! | `comparison.rs` | what both see while they record: outputs, targets, and where their results go |
//! | `cross_entropy.rs` | softmax and cross-entropy, with label smoothing |
//! | `accuracy.rs` | the share of the samples whose class was found |
//!
//! A loss of your own brings a kernel ([`kernel!`](crate::kernel!)) and goes into a [`Setup`](crate::train::Setup);
//! `tests/custom_loss.rs` has one, and a metric beside it.

mod accuracy;
mod comparison;
mod cross_entropy;
mod definition;

pub use accuracy::{Accuracy, FoundClass, FoundClassParams};
pub use comparison::Comparison;
pub use cross_entropy::CrossEntropy;
pub use definition::{Loss, Metric};
