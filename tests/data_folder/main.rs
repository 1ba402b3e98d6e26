//! Image folders: what is found, how it is processed, and what is wrong with it.
#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;

mod damage;
mod decoding;
mod files;
mod oracle;
mod parts;

mod real;
mod scan;
