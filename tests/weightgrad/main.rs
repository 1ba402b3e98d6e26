//! What a topology round and the weight update need from a layer with many positions: gradients of listed connections,
//! and the sums behind f and g.
//!
//! Every kernel against its twin on every adapter in every workgroup shape, and both against an oracle in 64-bit floats
//! that walks over planes padded with zeros.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod case;
mod conv_sddmm;
mod sddmm;
mod slices;
mod statistics;
