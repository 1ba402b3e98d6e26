//! The CPU executor.
//!
//! | file | job |
//! |---|---|
//! | `executor.rs` | runs the twins of a plan's kernels on a pool of threads |
//! | `together.rs` | which consecutive twins run as one |

mod executor;
mod together;

pub(crate) use executor::{CpuExecutor, Delays};
