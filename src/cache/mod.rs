//! The user's cache folder: what was found out of an adapter, and need not be again. What is lost there costs some
//! seconds, and no more.
//!
//! | file | job |
//! |---|---|
//! | `folder.rs` | where it is, and files in it |
//! | `adapter.rs` | what an adapter is known by |
//! | `tuned.rs` | `tuned.json`: the shapes of workgroups that were measured |

mod adapter;
pub mod folder;
pub mod tuned;

pub use adapter::KnownAdapter;
