//! The engine: choosing adapters, limits, the ledger, what plans refuse, folding, random numbers.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod adapters;
mod buffers;
mod checks;
mod clocks;
mod fold;
mod halves;
mod loss;
mod plans;
mod random;
mod scale;
mod twins;
