//! rootlet

pub mod checkpoint;
pub mod data;
pub mod error;
pub mod report;
pub mod train;

pub use error::{Error, Result};
