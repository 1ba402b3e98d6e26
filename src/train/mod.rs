//! Training: the configuration of a run, and what it reports about itself.

pub mod config;
#[doc(hidden)]
pub mod cost;
mod describe;
mod evaluate;
pub mod event;
mod exploration;
mod for_tests;
mod hooks;
mod initial;
mod memory;
mod meter;
mod outputs;
mod phases;
mod predict;
mod predictions;
mod probe;
mod remarks;
mod saving;
mod score;
mod setup;
mod tested;
mod trainer;

pub use config::TrainConfig;
#[doc(hidden)]
pub use evaluate::evaluate_whole;
pub use evaluate::{Evaluation, evaluate};
pub use event::{Event, Observer, Score};
pub(crate) use for_tests::for_input_gradients;
#[doc(hidden)]
pub use for_tests::for_tests;
#[doc(hidden)]
pub use hooks::KeepBest;
pub use hooks::{Hooks, Save};
pub use predict::Predictor;
pub(crate) use predict::samples as predicted_samples;
pub use predictions::Predictions;
pub(crate) use predictions::to_probabilities;
pub use saving::SaveEvery;
pub use setup::Setup;
pub use trainer::Trainer;
