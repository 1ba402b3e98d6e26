//! A row of a table.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A row of a table, with a column `step`.
pub(super) trait Row: Default + Serialize + DeserializeOwned {
    /// Its step, and its number among the rows of that step. No two rows share a place.
    fn place(&self) -> (u64, usize);

    /// Rows with the columns that a table has at first: columns at the end may follow. The first form is the usual one.
    fn forms() -> Vec<Self> {
        vec![Self::default()]
    }

    /// Its epoch, in a table of epochs: it rises with the places.
    fn epoch(&self) -> Option<u32> {
        None
    }

    /// Gives all rows the same columns: those of a validation part if they are `wide`, or if one of them has such
    /// columns. Returns whether they have.
    fn align(_rows: &mut [Self], wide: bool) -> bool {
        wide
    }

    /// Whether a run can produce these numbers.
    fn is_possible(&self) -> bool;
}
