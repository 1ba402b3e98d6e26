//! A loss and a metric from outside the crate: checked by their twins and by differences, trained on several values per
//! sample, by every method that uses gradients, saved and resumed to the bit.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod network;
mod squares;
mod trainer;
