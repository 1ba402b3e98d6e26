//! Sparse layers through windows: the convolution forward and its input gradient, and layers applied to many positions,
//! on the CPU executor and every adapter in every workgroup shape, against an oracle in 64-bit floats.
//!
//! The tolerance is the bound of Higham's "Accuracy and Stability of Numerical Algorithms" for a sum of `k` products in
//! any order, `(k + 2) * 2^-24 * sum of |terms|`, doubled: no result may be farther from the oracle's.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod beside_norms;
mod edges;
mod oracle;
mod problem;
mod repeat;
mod windows;
