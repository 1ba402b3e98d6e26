//! Determines what to do with the columns, from the training rows alone.
//!
//! The rows are looked at one after the other, all columns at once: a file larger than the memory is read twice, and
//! once more for each group of columns whose medians are asked for.

use super::cells::{MISSING, Table};
use super::preprocessing::{ColumnRule, Missing, Preprocessing, Rule, TargetRule};
use super::roles::Roles;

/// Bytes of the numbers that medians are found in at once.
const MEDIANS: usize = 256 << 20;

/// The rules learned from these rows. `target` says what the target is; if it consists of values, their scale is
/// determined here.
///
/// # Errors
/// The table's file cannot be read: a reason that fits after its name.
pub(super) fn fit(
    table: &Table,
    roles: &Roles,
    target: TargetRule,
    missing: Missing,
    rows: &[u32],
) -> Result<Preprocessing, String> {
    let values = match &target {
        TargetRule::Values { .. } => &roles.targets[..],
        TargetRule::Classes { .. } | TargetRule::Labels { .. } => &[],
    };
    // Numbers of sparse tables stay as they are: most of them are 0, and such files are scaled already.
    let inputs = match table.is_sparse() {
        true => &[],
        false => &roles.inputs[..],
    };
    let mut seen: Vec<Seen> = inputs
        .iter()
        .chain(values)
        .map(|&column| Seen::new(table, column))
        .collect();
    table.each(rows.iter().copied(), |_, row| {
        seen.iter_mut()
            .for_each(|seen| seen.see(row.word(seen.column)));
    })?;
    if seen.iter().any(|seen| seen.counts.is_empty()) {
        table.each(rows.iter().copied(), |_, row| {
            seen.iter_mut()
                .for_each(|seen| seen.square(row.word(seen.column)));
        })?;
    }
    let (of_inputs, of_values) = seen.split_at(inputs.len());
    let medians = match missing {
        Missing::Median => medians(table, of_inputs, rows)?,
        _ => Vec::new(),
    };
    let columns = roles
        .inputs
        .iter()
        .enumerate()
        .map(|(at, &column)| ColumnRule {
            name: table.columns[column].name.clone(),
            rule: match (&table.columns[column].categories, of_inputs.get(at)) {
                (None, Some(seen)) => seen.number(missing, medians.get(at).copied()),
                (Some(names), Some(seen)) => seen.category(names, missing),
                (_, None) => Rule::Number {
                    mean: 0.0,
                    deviation: 1.0,
                    fill: None,
                    missing_input: false,
                },
            },
        });
    let columns = columns.collect();
    let target = match target {
        TargetRule::Values { columns, .. } => {
            let (mean, deviation) = of_values.iter().map(Seen::scale).unzip();
            TargetRule::Values {
                columns,
                mean,
                deviation,
            }
        }
        other => other,
    };
    Ok(Preprocessing {
        columns,
        target,
        missing,
        ignored: Vec::new(),
        weight: roles
            .weight
            .map(|column| table.columns[column].name.clone()),
    })
}

/// What the rows say about a column.
struct Seen {
    column: usize,
    missing: u64,
    /// For numbers: how many there are, their sum, and then the sum of the squares of their differences from the mean.
    /// Sums begin with -0, to which any number can be added without a change.
    present: u64,
    sum: f64,
    squares: f64,
    /// For texts: the rows of each category.
    counts: Vec<u64>,
}

impl Seen {
    fn new(table: &Table, column: usize) -> Self {
        let categories = table.columns[column].categories.as_ref();
        Self {
            column,
            missing: 0,
            present: 0,
            sum: -0.0,
            squares: -0.0,
            counts: vec![0; categories.map_or(0, Vec::len)],
        }
    }

    fn see(&mut self, word: u32) {
        match (word, self.counts.get_mut(word as usize)) {
            (MISSING, _) => self.missing += 1,
            (_, Some(count)) => *count += 1,
            (bits, None) => {
                self.present += 1;
                self.sum += f64::from(f32::from_bits(bits));
            }
        }
    }

    fn square(&mut self, word: u32) {
        if word != MISSING && self.counts.is_empty() {
            let mean = self.sum / self.present as f64;
            self.squares += (f64::from(f32::from_bits(word)) - mean).powi(2);
        }
    }

    /// Mean and standard deviation; a deviation of 0 becomes 1.
    fn scale(&self) -> (f64, f64) {
        if self.present == 0 {
            return (0.0, 1.0);
        }
        let count = self.present as f64;
        let (mean, deviation) = (self.sum / count, (self.squares / count).sqrt());
        // The rounding of sums is not a difference between rows.
        match deviation > 1e-12 * mean.abs() {
            true => (mean, deviation),
            false => (mean, 1.0),
        }
    }

    fn number(&self, missing: Missing, median: Option<f64>) -> Rule {
        let (mean, deviation) = self.scale();
        Rule::Number {
            mean,
            deviation,
            fill: match missing {
                Missing::Refuse | Missing::Drop => None,
                Missing::Mean | Missing::Category => Some(mean),
                Missing::Median => median,
            },
            missing_input: missing == Missing::Category && self.missing > 0,
        }
    }

    fn category(&self, names: &[String], missing: Missing) -> Rule {
        let counts = &self.counts;
        let known: Vec<usize> = (0..names.len()).filter(|&name| counts[name] > 0).collect();
        // Of equally frequent ones, the first.
        let most = (0..known.len()).rev().max_by_key(|&at| counts[known[at]]);
        Rule::Category {
            names: known.iter().map(|&name| names[name].clone()).collect(),
            fill: match missing {
                Missing::Mean | Missing::Median => most,
                Missing::Refuse | Missing::Drop | Missing::Category => None,
            },
            missing_input: missing == Missing::Category && self.missing > 0,
        }
    }
}

/// The median of each column of numbers; 0 for others.
fn medians(table: &Table, seen: &[Seen], rows: &[u32]) -> Result<Vec<f64>, String> {
    let mut medians = vec![0.0; seen.len()];
    let of_numbers: Vec<usize> = (0..seen.len())
        .filter(|&at| seen[at].counts.is_empty())
        .collect();
    let at_once = (MEDIANS / 4 / rows.len().max(1)).max(1);
    for group in of_numbers.chunks(at_once) {
        let mut numbers = vec![Vec::new(); group.len()];
        table.each(rows.iter().copied(), |_, row| {
            for (numbers, &at) in numbers.iter_mut().zip(group) {
                let word = row.word(seen[at].column);
                numbers.extend((word != MISSING).then_some(f32::from_bits(word)));
            }
        })?;
        for (numbers, &at) in numbers.iter_mut().zip(group) {
            medians[at] = median(numbers);
        }
    }
    Ok(medians)
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
