//! The user's cache folder: facts about an adapter that need not be determined again. Losing them costs a few seconds.
//!
//! | file | job |
//! |---|---|
//! | `folder.rs` | its place, and the files in it |
//! | `adapter.rs` | the identity of an adapter |
//! | `tuned.rs` | `tuned.json`: the measured choices |

mod adapter;
pub mod folder;
pub mod tuned;

pub use adapter::KnownAdapter;
