//! Training: what a run is configured with and what it tells about itself.

pub mod config;
pub mod cost;
mod describe;
mod evaluate;
pub mod event;
mod exploration;
mod hooks;
mod meter;
mod phases;
mod probe;
mod remarks;
mod saving;
mod trainer;

pub use config::TrainConfig;
pub use evaluate::{Evaluation, evaluate};
pub use event::{Event, Observer};
pub use hooks::{Hooks, Save};
pub use saving::SaveEvery;
pub use trainer::Trainer;
