//! The weights of rows in training.

use super::cells::Table;
use crate::error::option::WEIGHT;
use crate::words::grouped;

/// The weights of these rows: the numbers of a column.
///
/// # Errors
/// One is below 0, or all are 0: a reason that fits after the file's name.
pub(super) fn weights(table: &Table, column: usize, rows: &[u32]) -> Result<Vec<f32>, String> {
    let words = table.column(column, rows)?;
    let weights: Vec<f32> = words.into_iter().map(f32::from_bits).collect();
    let name = &table.columns[column].name;
    // A missing one is not a number.
    if let Some(at) = weights
        .iter()
        .position(|weight| weight.is_nan() || *weight < 0.0)
    {
        return Err(format!(
            "row {}, column `{name}`: the weight is {}, and weights ({WEIGHT}) are numbers of 0 or more",
            grouped(u64::from(rows[at]) + 1),
            weights[at]
        ));
    }
    match weights.iter().all(|&weight| weight == 0.0) && !weights.is_empty() {
        true => Err(format!(
            "all weights of the training rows are 0 (column `{name}`): nothing would be learned"
        )),
        false => Ok(weights),
    }
}
