//! No invocation's loops are longer than adapters are known to finish. Split work gives the right results, at sizes
//! that people train; every statement of a loop's length is true; and what cannot be split is refused.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod counted;
mod models;
mod problem;
mod products;
mod refusals;
mod sizes;
