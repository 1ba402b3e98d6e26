//! The user's cache folder: facts about an adapter that need not be determined again. Losing them costs a few seconds.
//!
//! | file | job |
//! |---|---|
//! | `folder.rs` | its place, and the files in it |
//! | `adapter.rs` | the identity of an adapter |
//! | `entry.rs` | what is known of one adapter |
//! | `secret.rs` | what a user's processes know of each other |
//! | `tuned.rs` | `tuned.json`: the measured choices of all |

mod adapter;
mod entry;
pub mod folder;
#[cfg(feature = "tcp")]
mod secret;
pub mod tuned;

pub use adapter::KnownAdapter;
pub use entry::{Crossovers, Known};
#[cfg(feature = "tcp")]
pub use secret::shared_secret;
