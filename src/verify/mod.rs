//! Whether an adapter computes what it should: every kernel beside its CPU twin, at sizes where drivers go wrong, and
//! whole steps beside the CPU executor.
//!
//! | file | job |
//! |---|---|
//! | `adapter.rs` | all of it on an adapter |
//! | `problem.rs` | a problem: a small network's step, or a few kernels by themselves |
//! | `layers.rs` | every layer of the crate by itself |
//! | `perceptrons.rs`, `images.rs`, `tokens.rs`, `rounds.rs`, `lists.rs` | the problems by what they are about |
//! | `steps.rs` | training steps, each begun from the CPU executor's state |
//! | `tally.rs`, `report.rs` | what was found |
//! | `seen.rs` | the adapters that passed before a first training |

mod adapter;
mod images;
mod layers;
mod lists;
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
