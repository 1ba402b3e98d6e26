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

/// The missing cells of each column among all rows.
///
/// # Errors
/// The table's file cannot be read: a reason that fits after its name.
pub(super) fn gaps(table: &Table) -> Result<Vec<Gaps>, String> {
    let mut gaps = vec![Gaps::default(); table.columns.len()];
    // Numbers that sparse rows do not store are zeros, and all stored ones are present.
    if table.is_sparse() {
        return Ok(gaps);
    }
    table.each(0..table.rows as u32, |number, row| {
        let Row::Dense(words) = row else { return };
        for (gap, &word) in gaps.iter_mut().zip(words) {
            if word == MISSING {
                if gap.count == 0 {
                    gap.first = number;
                }
                gap.count += 1;
            }
        }
    })?;
    Ok(gaps)
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
    let gaps = gaps(table)?;
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
    let weights = of(roles.weight.as_slice());
    let listed = |told: &[String]| listed(told.len() as u64, told);
    if missing != Missing::Drop && !targets.is_empty() {
        return Err(format!(
            "values of the target are missing: {}; {OPTION} drop leaves such rows out",
            listed(&targets)
        ));
    }
    if missing != Missing::Drop && !weights.is_empty() {
        return Err(format!(
            "weights are missing: {}; {OPTION} drop leaves such rows out",
            listed(&weights)
        ));
    }
    if missing == Missing::Refuse && !inputs.is_empty() {
        return Err(format!(
            "values are missing: {}; {OPTION} mean, median or category fills them, drop leaves their rows out",
            listed(&inputs)
        ));
    }
    if missing != Missing::Drop || (inputs.is_empty() && targets.is_empty() && weights.is_empty()) {
        return Ok((all.collect(), None));
    }
    let all_of = [inputs, targets, weights].concat();
    let mut whole = Vec::new();
    table.each(all, |number, row| {
        let mut columns = roles
            .inputs
            .iter()
            .chain(&roles.targets)
            .chain(&roles.weight);
        if columns.all(|&column| row.word(column) != MISSING) {
            whole.push(number);
        }
    })?;
    if whole.is_empty() {
        return Err(format!("every row lacks a value: {}", listed(&all_of)));
    }
    let left_out = table.rows - whole.len();
    let note = format!(
        "{} of {} are left out, for values are missing: {}",
        counted(left_out as u64, "row"),
        grouped(table.rows as u64),
        listed(&all_of)
    );
    Ok((whole, Some(note)))
}
