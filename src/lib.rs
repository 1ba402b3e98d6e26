//! rootlet

// The `kernel!` and `uniform!` macros name the crate, also from within it.
extern crate self as rootlet;

#[macro_use]
pub mod engine;
pub mod bench;
pub mod checkpoint;
pub mod data;
pub mod error;
pub mod layer;
pub mod model;
pub mod optim;
pub mod primitive;
pub mod report;
pub mod sparse;
pub mod topology;
pub mod train;

pub use error::{Error, Result};
