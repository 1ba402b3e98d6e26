//! For the fuzzers: the bytes of a file, and what a training would make of the table.

use super::{load, open};

/// Reads a file in the format called `name`.
pub(crate) fn fuzz(name: &str, bytes: &[u8]) {
    if let Ok(table) = open::parse(name, bytes) {
        load::fuzz(table);
    }
}
