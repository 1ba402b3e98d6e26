//! The products of full layers through windows, on the CPU executor and every adapter in every workgroup shape, against
//! an oracle in 64-bit floats.
//!
//! The tolerance is the bound of Higham's "Accuracy and Stability of Numerical Algorithms" for a sum of `k` products in
//! any order, `(k + 2) * 2^-24 * sum of |terms|`, doubled: no result may be further from the oracle's.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod edges;
mod expand;
mod network;
mod oracle;
mod problem;
mod windows;
