//! Running a program.
//!
//! | file | job |
//! |---|---|
//! | `run.rs` | as a whole, or timed |
//! | `run_checked.rs`, `around.rs` | with its kernels compared with their twins; what is copied for that |
//! | `check.rs` | runs a twin, and compares |

pub(super) mod around;
pub(super) mod check;
pub(super) mod run;
mod run_checked;
