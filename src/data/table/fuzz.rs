//! For the fuzzers: a file's bytes, and what a training would make of the table.

use super::{load, open};

/// Reads a file in the format that `name` is.
pub(crate) fn fuzz(name: &str, bytes: &[u8]) {
    if let Ok(table) = open::parse(name, bytes) {
        load::fuzz(table);
    }
}
