//! Optimisers, and the learning rate's schedule.

mod buffers;
mod definition;
mod rate;
mod sgd;
mod state;

pub use buffers::StateBuffers;
pub(crate) use definition::check;
pub use definition::{Group, Optimiser, Scalar, StateArray, Update};
pub use rate::{LearningRate, Milestones, Moment};
pub use sgd::{Sgd, SgdStep, SgdStepParams};
pub use state::{Numbers, OptimiserState};
