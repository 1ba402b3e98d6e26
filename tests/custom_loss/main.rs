//! A loss and a metric from outside the crate: right by their twins and by differences, trained on values a sample, by
//! every method that looks at gradients, saved and resumed to the bit.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod network;
mod squares;
mod trainer;
