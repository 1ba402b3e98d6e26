//! What a vision transformer needs besides its linear layers (attention, patches and positions), compared with oracles
//! in 64-bit floats, on every adapter in every workgroup shape and on the CPU executor.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod agreement;
mod core;
mod oracle;
mod patches;
mod positions;
mod problem;
