//! Optimisers, and the learning rate's schedule.

mod adamw;
mod adamw_all;
mod adamw_step;
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
mod sgd_step;
mod state;

pub use adamw::AdamW;
pub use adamw_all::{AdamWAll, AdamWAllParams};
pub use adamw_step::{AdamWStep, AdamWStepParams};
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
pub use sgd::Sgd;
pub use sgd_all::{SgdAll, SgdAllParams};
pub use sgd_step::{SgdStep, SgdStepParams};
pub use state::OptimiserState;
