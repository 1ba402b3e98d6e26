//! Whether an adapter computes what it should: every kernel is compared with its CPU twin, at sizes where drivers go
//! wrong, and whole steps with the CPU executor.
//!
//! | file | job |
//! |---|---|
//! | `adapter.rs` | verifying an adapter with all of this |
//! | `problem.rs` | a problem: a small network's step, or a few kernels by themselves |
//! | `layers.rs` | every layer of the crate by itself |
//! | `perceptrons.rs`, `images.rs`, `tokens.rs`, `rounds.rs`, `lists.rs`, `objectives.rs` | the problems by subject |
//! | `steps.rs` | training steps, each starting from the CPU executor's state |
//! | `tally.rs`, `report.rs` | what was found |
//! | `seen.rs` | the adapters that have passed before |

mod adapter;
mod images;
mod layers;
mod lists;
mod objectives;
mod perceptrons;
mod problem;
mod report;
mod rounds;
#[cfg(feature = "report")]
pub mod seen;
mod steps;
mod tally;
mod tokens;

pub use adapter::{Depth, verify, verify_devices};
pub use report::Report;
#[cfg(feature = "report")]
pub(crate) use seen::fuzz as fuzz_verified;
pub use steps::{StepsResult, TOLERANCE};
pub use tally::{KernelTally, Place, Tally};
