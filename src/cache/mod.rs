//! The user's cache folder: facts about an adapter that need not be determined again. Losing them costs a few seconds.
//!
//! | file | job |
//! |---|---|
//! | `folder.rs` | its place, and the files in it |
//! | `adapter.rs` | the identity of an adapter |
//! | `entry.rs` | what is known of one adapter |
//! | `tuned.rs` | `tuned.json`: the measured choices of all |

mod adapter;
mod entry;
pub mod folder;
pub mod tuned;

pub use adapter::KnownAdapter;
pub use entry::{Crossovers, Known};
