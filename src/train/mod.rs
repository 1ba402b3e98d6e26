//! Training: what a run is configured with and what it tells about itself.

pub mod config;
mod describe;
mod evaluate;
pub mod event;
mod hooks;
mod meter;
mod probe;
mod trainer;

pub use config::TrainConfig;
pub use evaluate::{Evaluation, evaluate};
pub use event::{Event, Observer};
pub use hooks::{Hooks, Save};
pub use trainer::Trainer;
