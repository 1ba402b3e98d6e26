//! Optimisers, and the learning rate's schedule.

mod adamw;
mod adamw_all;
mod array;
mod average;
mod buffers;
mod clip;
mod cosine;
mod definition;
mod name;
mod rate;
mod sgd;
mod sgd_all;
mod state;

pub use adamw::{AdamW, AdamWStep, AdamWStepParams};
pub use adamw_all::{AdamWAll, AdamWAllParams};
pub use array::{Numbers, Scalar, StateArray};
pub use average::{Average, AverageParams, Averaged, Exchange, ExchangeParams};
#[doc(hidden)]
pub use buffers::StateBuffers;
#[doc(hidden)]
pub use clip::ClipBuffers;
pub use clip::{ClipFactor, ClipFactorParams, Scale, ScaleParams, SquareSums, SquareSumsParams};
pub use cosine::Cosine;
pub(crate) use definition::check;
pub use definition::{Group, Optimiser, Update};
pub use name::{OptimiserName, RateName};
pub use rate::{LearningRate, Milestones, Moment};
pub use sgd::{Sgd, SgdStep, SgdStepParams};
pub use sgd_all::{SgdAll, SgdAllParams};
pub use state::OptimiserState;
