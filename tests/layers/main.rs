//! The layers without parameters on every device: against oracles in 64-bit floats written from the definitions, and
//! their backward passes against finite differences of those.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod activation;
mod dropout;
mod folding;
mod harness;
mod pool;
mod refusals;
mod residual;
