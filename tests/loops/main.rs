//! No invocation's loops are longer than adapters are known to finish: what is cut gives what it should, at the sizes
//! that people train; every statement of a loop's length is true; and what cannot be cut is refused.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod counted;
mod models;
mod problem;
mod products;
mod refusals;
mod sizes;
