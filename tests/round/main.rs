//! The prune-and-grow round: every kernel against its twin, the primitives against the standard library, whole rounds
//! against a brute-force oracle, and the draws against their distributions.
//!
//! Needs a wgpu adapter; without one these tests fail, and are never skipped.
#![allow(clippy::unwrap_used)]

mod distinct;
mod draws;
mod edges;
mod forward_set;
mod kernels;
mod oracle;
mod primitives;
mod rescored;
mod rig;
mod rigl;
mod rounds;
mod timing;
mod world;
