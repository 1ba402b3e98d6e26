//! Training: what a run is configured with and what it tells about itself.

pub mod config;
pub mod event;
mod network;

pub use config::TrainConfig;
pub use event::{Event, Observer};
pub use network::{BatchResult, Network, NetworkOptions, RING};
