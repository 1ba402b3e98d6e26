//! Cells without a value: where they are, and how they are treated.

use super::cells::{MISSING, Row, Table};
use super::preprocessing::Missing;
use super::roles::Roles;
use crate::error::option::MISSING as OPTION;
use crate::words::{counted, grouped, listed};

/// Missing cells of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Gaps {
    pub count: u64,
    /// The row of the first one.
    pub first: u32,
}

/// The missing cells of each column among these rows.
pub(super) fn gaps(table: &Table, rows: impl Iterator<Item = u32>) -> Vec<Gaps> {
    let mut gaps = vec![Gaps::default(); table.columns.len()];
    let mut see = |column: usize, row: u32| {
        let gap = &mut gaps[column];
        if gap.count == 0 {
            gap.first = row;
        }
        gap.count += 1;
    };
    for row in rows {
        match table.row(row as usize) {
            Row::Dense(words) => {
                for (column, &word) in words.iter().enumerate() {
                    if word == MISSING {
                        see(column, row);
                    }
                }
            }
            // Numbers that are not stored are zeros, and all stored ones are present.
            Row::Sparse(..) => {}
        }
    }
    gaps
}

/// The rows that can be used, and notes about the others.
///
/// # Errors
/// There are missing cells but none are allowed, or no row is complete: a reason that fits after the file's name.
pub(super) fn usable(
    table: &Table,
    roles: &Roles,
    missing: Missing,
) -> Result<(Vec<u32>, Option<String>), String> {
    let all = 0..table.rows as u32;
    if table.is_sparse() {
        return Ok((all.collect(), None));
    }
    let gaps = gaps(table, all.clone());
    let of = |columns: &[usize]| -> Vec<String> {
        let columns = columns.iter().filter(|&&column| gaps[column].count > 0);
        let told = columns.map(|&column| {
            format!(
                "`{}` in {} (the first is row {})",
                table.columns[column].name,
                counted(gaps[column].count, "row"),
                grouped(u64::from(gaps[column].first) + 1)
            )
        });
        told.collect()
    };
    let (inputs, targets) = (of(&roles.inputs), of(&roles.targets));
    let listed = |told: &[String]| listed(told.len() as u64, told);
    if missing != Missing::Drop && !targets.is_empty() {
        return Err(format!(
            "values of the target are missing: {}; {OPTION} drop leaves such rows out",
            listed(&targets)
        ));
    }
    if missing == Missing::Refuse && !inputs.is_empty() {
        return Err(format!(
            "values are missing: {}; {OPTION} mean, median or category fills them, drop leaves their rows out",
            listed(&inputs)
        ));
    }
    if missing != Missing::Drop || (inputs.is_empty() && targets.is_empty()) {
        return Ok((all.collect(), None));
    }
    let is_whole = |&row: &u32| {
        let cells = table.row(row as usize);
        let mut columns = roles.inputs.iter().chain(&roles.targets);
        columns.all(|&column| cells.word(column) != MISSING)
    };
    let whole: Vec<u32> = all.filter(is_whole).collect();
    if whole.is_empty() {
        return Err(format!("every row lacks a value: {}", listed(&inputs)));
    }
    let left_out = table.rows - whole.len();
    let note = format!(
        "{} of {} are left out, for values are missing: {}",
        counted(left_out as u64, "row"),
        grouped(table.rows as u64),
        listed(&[inputs, targets].concat())
    );
    Ok((whole, Some(note)))
}
