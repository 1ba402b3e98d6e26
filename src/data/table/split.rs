//! Rows that are held out.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::cells::{Row, Table};
use crate::data::parts::chosen;
use crate::error::option::{TEST, VAL_SPLIT};
use crate::words::counted;

/// Rows to train on and rows that are held out: `share` of every class, leaving at least one row for training; without
/// classes, `share` of all rows. The choice depends on the seed and the cells, so that a row that occurs twice is on
/// one side, unless the share ends between the two.
///
/// # Errors
/// The share holds none out: a reason that fits after the file's name.
pub(super) fn split(
    table: &Table,
    rows: &[u32],
    classes: Option<&[u32]>,
    share: f64,
    seed: u32,
) -> Result<[Vec<u32>; 2], String> {
    let one_class = vec![0; rows.len()];
    let classes = classes.unwrap_or(&one_class);
    let mut ranks = Vec::with_capacity(rows.len());
    table.each(rows.iter().copied(), |_, row| ranks.push(rank(row, seed)))?;
    let held = chosen(classes, |at| ranks[at], share);
    if share > 0.0 && !held.contains(&true) {
        return Err(format!(
            "{} {} too few to hold any out to validate by: a {VAL_SPLIT} of {share} is none, for one of each class \
             stays; give a larger one, or a file of others to test by with {TEST}",
            counted(rows.len() as u64, "row"),
            if rows.len() == 1 { "is" } else { "are" },
        ));
    }
    let part = |requested: bool| {
        let rows = rows.iter().zip(&held);
        rows.filter(move |&(_, &held)| held == requested)
            .map(|(&row, _)| row)
    };
    Ok([part(false).collect(), part(true).collect()])
}

/// The rank of a row: a hash of its cells.
fn rank(row: Row<'_>, seed: u32) -> u64 {
    let seed = u64::from(seed);
    match row {
        Row::Dense(words) => xxh3_64_with_seed(bytemuck::cast_slice(words), seed),
        Row::Sparse(columns, values) => {
            let values = xxh3_64_with_seed(bytemuck::cast_slice(values), seed);
            xxh3_64_with_seed(bytemuck::cast_slice(columns), values)
        }
    }
}
