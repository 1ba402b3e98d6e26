//! Determines what to do with the columns, from the training rows alone.

use super::cells::{MISSING, Table};
use super::preprocessing::{ColumnRule, Missing, Preprocessing, Rule, TargetRule};
use super::roles::Roles;

/// The rules learned from these rows. `target` says what the target is; if it consists of values, their scale is
/// determined here.
pub(super) fn fit(
    table: &Table,
    roles: &Roles,
    target: TargetRule,
    missing: Missing,
    rows: &[u32],
) -> Preprocessing {
    let columns = roles.inputs.iter().map(|&column| ColumnRule {
        name: table.columns[column].name.clone(),
        rule: match (&table.columns[column].categories, table.is_sparse()) {
            // Most of them are 0, and stay 0; such files are scaled already.
            (None, true) => Rule::Number {
                mean: 0.0,
                deviation: 1.0,
                fill: None,
                missing_input: false,
            },
            (None, false) => number(table, column, missing, rows),
            (Some(names), _) => category(table, column, names, missing, rows),
        },
    });
    let columns = columns.collect();
    let target = match target {
        TargetRule::Values { columns, .. } => {
            let scales = roles
                .targets
                .iter()
                .map(|&column| scale(&numbers(table, column, rows)));
            let (mean, deviation) = scales.unzip();
            TargetRule::Values {
                columns,
                mean,
                deviation,
            }
        }
        other => other,
    };
    Preprocessing {
        columns,
        target,
        missing,
        ignored: Vec::new(),
    }
}

/// The numbers of a column that are not missing.
fn numbers(table: &Table, column: usize, rows: &[u32]) -> Vec<f32> {
    let words = rows.iter().map(|&row| table.row(row as usize).word(column));
    words
        .filter(|&word| word != MISSING)
        .map(f32::from_bits)
        .collect()
}

/// Mean and standard deviation; a deviation of 0 becomes 1.
fn scale(numbers: &[f32]) -> (f64, f64) {
    if numbers.is_empty() {
        return (0.0, 1.0);
    }
    let count = numbers.len() as f64;
    let mean = numbers.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum();
    let deviation = (squares / count).sqrt();
    // The rounding of sums is not a difference between rows.
    match deviation > 1e-12 * mean.abs() {
        true => (mean, deviation),
        false => (mean, 1.0),
    }
}

fn number(table: &Table, column: usize, missing: Missing, rows: &[u32]) -> Rule {
    let mut numbers = numbers(table, column, rows);
    let any_missing = numbers.len() < rows.len();
    let (mean, deviation) = scale(&numbers);
    Rule::Number {
        mean,
        deviation,
        fill: match missing {
            Missing::Refuse | Missing::Drop => None,
            Missing::Mean | Missing::Category => Some(mean),
            Missing::Median => Some(median(&mut numbers)),
        },
        missing_input: missing == Missing::Category && any_missing,
    }
}

fn median(numbers: &mut [f32]) -> f64 {
    if numbers.is_empty() {
        return 0.0;
    }
    numbers.sort_unstable_by(f32::total_cmp);
    let half = numbers.len() / 2;
    match numbers.len() % 2 {
        1 => f64::from(numbers[half]),
        _ => f64::midpoint(f64::from(numbers[half - 1]), f64::from(numbers[half])),
    }
}

fn category(
    table: &Table,
    column: usize,
    names: &[String],
    missing: Missing,
    rows: &[u32],
) -> Rule {
    let mut counts = vec![0u64; names.len()];
    let mut any_missing = false;
    for &row in rows {
        match table.row(row as usize).word(column) {
            MISSING => any_missing = true,
            category => counts[category as usize] += 1,
        }
    }
    let known: Vec<usize> = (0..names.len()).filter(|&name| counts[name] > 0).collect();
    // Of equally frequent ones, the first.
    let most = (0..known.len()).rev().max_by_key(|&at| counts[known[at]]);
    Rule::Category {
        names: known.iter().map(|&name| names[name].clone()).collect(),
        fill: match missing {
            Missing::Mean | Missing::Median => most,
            Missing::Refuse | Missing::Drop | Missing::Category => None,
        },
        missing_input: missing == Missing::Category && any_missing,
    }
}
