//! Every kernel against its twin on every adapter in every workgroup shape, and both against an oracle in 64-bit
//! floats.
//!
//! The tolerance is the bound of Higham's "Accuracy and Stability of Numerical Algorithms" for a sum of `k` products in
//! any order, `(k + 2) * 2^-24 * sum of |terms|`, doubled: no result may be further from the oracle's.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod agreement;
mod nan;
mod oracle;
mod problem;
mod products;
