//! Replaces the reader of CSV files if the feature `table` is left out.

use super::Watch;
use super::bytes::Bytes;
use super::cells::Table;
use super::how::How;

/// Reads nothing.
pub(super) fn read(_: &Bytes, _: How<'_>, _: Watch<'_>) -> Result<Table, String> {
    Err(
        "this build of rootlet reads no CSV files: its feature `table` is left out; build it with that feature, or \
         save the table as .npz"
            .to_owned(),
    )
}
