//! What holds numbers, and who counts the bytes.
//!
//! | file | job |
//! |---|---|
//! | `buffer.rs` | buffers of either executor, and views into them |
//! | `ledger.rs` | the byte ledger: every allocation with its label and class |
//! | `precision.rs` | numbers of 16 bits, two per word |
//! | `pages.rs` | the CPU executor's memory, in large pages |
//! | `host_memory.rs` | how much memory this machine can still provide |

pub mod buffer;
pub(crate) mod host_memory;
pub mod ledger;
pub(super) mod pages;
pub(super) mod precision;
