//! The optimiser and the learning rate's schedule.

mod rate;
mod sgd;

pub use rate::LearningRate;
pub use sgd::{Sgd, SgdOptions, SgdParams};
