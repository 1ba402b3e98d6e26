//! Rows that are held out to test by, where no file has others.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::cells::{Row, Table};
use crate::data::held_out::counts;
use crate::error::option::{TEST, VAL_SPLIT};

/// Rows to train and to test by: of every class `share`, of which one row at least stays for training; without classes
/// of all. Which ones is a matter of the seed and of their cells, so that a row that stands twice is on one side, but
/// where the share ends between the two.
///
/// # Errors
/// A share that leaves none to train or to test by: a reason that fits behind the file's name.
pub(super) fn split(
    table: &Table,
    rows: &[u32],
    classes: Option<&[u32]>,
    share: f64,
    seed: u32,
) -> Result<[Vec<u32>; 2], String> {
    let mut order: Vec<(u32, u64, u32)> = (rows.iter().enumerate())
        .map(|(at, &row)| {
            let class = classes.map_or(0, |classes| classes[at]);
            (class, rank(table, row, seed), row)
        })
        .collect();
    order.sort_unstable();
    let groups: Vec<&[(u32, u64, u32)]> = order.chunk_by(|a, b| a.0 == b.0).collect();
    let sizes: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let (mut train, mut test) = (Vec::with_capacity(rows.len()), Vec::new());
    for (group, count) in groups.iter().zip(counts(&sizes, share)) {
        let numbers =
            |part: &[(u32, u64, u32)]| part.iter().map(|&(_, _, row)| row).collect::<Vec<_>>();
        let (held, kept) = group.split_at(count);
        test.extend(numbers(held));
        train.extend(numbers(kept));
    }
    if test.is_empty() {
        return Err(format!(
            "{} rows in {} classes are too few to hold any out to test by: a {VAL_SPLIT} of {share} is none, for one of each \
             class stays; give a larger one, or a file of others with {TEST}",
            rows.len(),
            sizes.len()
        ));
    }
    train.sort_unstable();
    test.sort_unstable();
    Ok([train, test])
}

/// Which row goes first: a hash of its cells.
fn rank(table: &Table, row: u32, seed: u32) -> u64 {
    let seed = u64::from(seed);
    match table.row(row as usize) {
        Row::Dense(words) => xxh3_64_with_seed(bytemuck::cast_slice(words), seed),
        Row::Sparse(columns, values) => {
            let values = xxh3_64_with_seed(bytemuck::cast_slice(values), seed);
            xxh3_64_with_seed(bytemuck::cast_slice(columns), values)
        }
    }
}
