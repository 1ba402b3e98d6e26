//! Batch norm and layer norm against their definitions in 64-bit floats, on `cpu` and on every adapter in every
//! workgroup shape: outputs, gradients, running statistics, padding lanes, micro-batches, and the effect of a NaN.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod advance;
mod agreement;
mod batch;
mod batch_edges;
mod layer;
mod oracle;
mod parameters;
mod problem;
