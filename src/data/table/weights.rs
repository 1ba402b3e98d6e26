//! The weights of rows in training.

use super::cells::Table;
use crate::error::option::WEIGHT;
use crate::words::grouped;

/// Checks the weights of all rows that can be used: the numbers of a column.
///
/// # Errors
/// One is below 0: a reason that fits after the file's name.
pub(super) fn check(table: &Table, column: usize, rows: &[u32]) -> Result<(), String> {
    let weights = numbers(table, column, rows)?;
    // A missing one is not a number.
    match weights
        .iter()
        .position(|weight| weight.is_nan() || *weight < 0.0)
    {
        None => Ok(()),
        Some(at) => Err(format!(
            "row {}, column `{}`: the weight is {}, and weights ({WEIGHT}) are numbers of 0 or more",
            grouped(u64::from(rows[at]) + 1),
            table.columns[column].name,
            weights[at]
        )),
    }
}

/// The weights of training rows.
///
/// # Errors
/// All are 0: a reason that fits after the file's name.
pub(super) fn weights(table: &Table, column: usize, rows: &[u32]) -> Result<Vec<f32>, String> {
    let weights = numbers(table, column, rows)?;
    match weights.iter().all(|&weight| weight == 0.0) && !weights.is_empty() {
        true => Err(format!(
            "all weights of the training rows are 0 (column `{}`): nothing would be learned",
            table.columns[column].name
        )),
        false => Ok(weights),
    }
}

fn numbers(table: &Table, column: usize, rows: &[u32]) -> Result<Vec<f32>, String> {
    let words = table.column(column, rows)?;
    Ok(words.into_iter().map(f32::from_bits).collect())
}
