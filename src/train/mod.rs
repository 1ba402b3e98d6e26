//! Training: what a run is configured with and what it tells about itself.

pub mod config;
pub mod event;

pub use config::TrainConfig;
pub use event::{Event, Observer};
