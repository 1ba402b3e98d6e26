//! Rows that cannot be used, and why.

use std::collections::BTreeMap;

/// Why a row with a byte 0 cannot be used.
pub(super) const NUL: &str = "it has a byte 0, which no text has";

/// Why rows cannot be used, by their place: texts that follow "row 3, ", and also stand alone.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Faults(BTreeMap<usize, String>);

impl Faults {
    /// Only the first fault of a row is kept.
    pub fn add(&mut self, row: usize, why: impl FnOnce() -> String) {
        self.0.entry(row).or_insert_with(why);
    }

    pub fn has(&self, row: usize) -> bool {
        self.0.contains_key(&row)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The first row with a fault.
    pub fn first(&self) -> Option<(usize, &str)> {
        (self.0.first_key_value()).map(|(row, why)| (*row, why.as_str()))
    }

    pub fn into_map(self) -> BTreeMap<usize, String> {
        self.0
    }
}
