//! Optimisers, and the learning rate's schedule.

mod array;
mod buffers;
mod definition;
mod rate;
mod sgd;
mod state;

pub use array::{Numbers, Scalar, StateArray};
pub use buffers::StateBuffers;
pub(crate) use definition::check;
pub use definition::{Group, Optimiser, Update};
pub use rate::{LearningRate, Milestones, Moment};
pub use sgd::{Sgd, SgdStep, SgdStepParams};
pub use state::OptimiserState;
