//! What the rows of a table are compared with: determined from the target's columns.

use std::collections::{BTreeSet, HashMap};

use super::cells::{MISSING, Table, is_whole, number_text};
use super::preprocessing::TargetRule;
use crate::data::Task;
use crate::error::option::{TARGET, TASK};
use crate::words::{grouped, listed};

/// What a target is, as far as all rows tell.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// Classes with these names.
    Classes(Vec<String>),
    Values,
    /// Columns of 0 and 1.
    Labels,
}

/// Whether a cell says that a label applies or does not apply.
fn is_label(word: u32) -> bool {
    [0.0, 1.0].contains(&f32::from_bits(word))
}

/// The first of these columns with other numbers than 0 and 1.
fn first_number(table: &Table, columns: &[usize], rows: &[u32]) -> Result<Option<usize>, String> {
    let mut are_labels = vec![true; columns.len()];
    table.each(rows.iter().copied(), |_, row| {
        for (are_labels, &column) in are_labels.iter_mut().zip(columns) {
            *are_labels = *are_labels && is_label(row.word(column));
        }
    })?;
    let first = are_labels.iter().position(|&are| !are);
    Ok(first.map(|at| columns[at]))
}

/// Whole numbers with at most this many different values are classes, if each has two rows on average.
const FEW: usize = 20;
/// Maximum number of classes of a table.
const MOST_CLASSES: usize = 10_000;

impl Kind {
    /// The target of these columns, in these rows: what `task` says, otherwise what they look like.
    ///
    /// # Errors
    /// Columns of texts beside others, or columns that do not suit the task: a reason that fits after the file's name.
    pub fn of(
        table: &Table,
        columns: &[usize],
        rows: &[u32],
        task: Option<Task>,
    ) -> Result<Self, String> {
        match task {
            None => Self::found(table, columns, rows),
            Some(task) => Self::said(table, columns, rows, task),
        }
    }

    /// What these columns are if the task was named.
    fn said(table: &Table, columns: &[usize], rows: &[u32], task: Task) -> Result<Self, String> {
        let wrong = |column: usize, is: &str, must: &str| {
            let name = &table.columns[column].name;
            Err(format!(
                "the target `{name}` {is}, and {TASK} {task} needs {must}; leave {TASK} out, or name another {TARGET}"
            ))
        };
        let text = columns
            .iter()
            .copied()
            .find(|&column| table.columns[column].categories.is_some());
        match (task, columns, text) {
            (Task::Classification, &[column], Some(_)) => Self::found(table, &[column], rows),
            (Task::Classification, &[column], None) => {
                let words = table.column(column, rows)?;
                let mut values: Vec<f32> = words
                    .into_iter()
                    .map(|word| f32::from_bits(word) + 0.0)
                    .collect();
                values.sort_by(f32::total_cmp);
                values.dedup();
                Ok(Kind::Classes(values.into_iter().map(number_text).collect()))
            }
            (Task::Classification, columns, _) => {
                wrong(columns[0], "is not the only one", "a single column")
            }
            (_, _, Some(column)) => wrong(column, "is of texts", "numbers"),
            (Task::Regression, ..) => Ok(Kind::Values),
            (Task::MultiLabel, columns, None) => match first_number(table, columns, rows)? {
                Some(column) => wrong(column, "has other numbers than 0 and 1", "these alone"),
                None => Ok(Kind::Labels),
            },
        }
    }

    /// What these columns look like.
    fn found(table: &Table, columns: &[usize], rows: &[u32]) -> Result<Self, String> {
        if let &[column] = columns {
            if let Some(names) = &table.columns[column].categories {
                return Ok(Kind::Classes(names.clone()));
            }
            let mut values = BTreeSet::new();
            for word in table.column(column, rows)? {
                let x = f32::from_bits(word);
                if !is_whole(x) || values.len() > FEW {
                    return Ok(Kind::Values);
                }
                // -0 equals 0.
                values.insert((x + 0.0) as i64);
            }
            if values.len() > FEW || 2 * values.len() > rows.len() {
                return Ok(Kind::Values);
            }
            return Ok(Kind::Classes(values.iter().map(i64::to_string).collect()));
        }
        for &column in columns {
            let about = &table.columns[column];
            if about.categories.is_some() {
                return Err(format!(
                    "the target `{}` is of texts, which can be learned alone, not beside others",
                    about.name
                ));
            }
        }
        Ok(match first_number(table, columns, rows)? {
            None => Kind::Labels,
            Some(_) => Kind::Values,
        })
    }

    /// The rule for it in a checkpoint; for values, without their scale.
    pub fn rule(self, table: &Table, columns: &[usize]) -> Result<TargetRule, String> {
        let names = || columns.iter().map(|&c| table.columns[c].name.clone());
        Ok(match self {
            Kind::Classes(classes) if classes.len() > MOST_CLASSES => {
                return Err(format!(
                    "the target has {} classes, more than the {MOST_CLASSES} that are taken",
                    classes.len()
                ));
            }
            Kind::Classes(classes) => TargetRule::Classes {
                column: names().collect::<Vec<_>>().concat(),
                names: classes,
            },
            Kind::Values => TargetRule::Values {
                columns: names().collect(),
                mean: vec![0.0; columns.len()],
                deviation: vec![1.0; columns.len()],
            },
            Kind::Labels => TargetRule::Labels {
                columns: names().collect(),
            },
        })
    }
}

/// The classes of these rows by the names of `rule`, as numbers of the network's outputs.
///
/// # Errors
/// Classes that it does not have: a reason that fits after the file's name.
pub(super) fn classes(
    table: &Table,
    column: usize,
    names: &[String],
    rows: &[u32],
) -> Result<Vec<u32>, String> {
    let known: HashMap<&str, u32> = (names.iter().zip(0..))
        .map(|(name, i)| (name.as_str(), i))
        .collect();
    let of_category: Option<Vec<Option<u32>>> =
        table.columns[column].categories.as_ref().map(|own| {
            own.iter()
                .map(|name| known.get(name.as_str()).copied())
                .collect()
        });
    let mut unknown = BTreeSet::new();
    let mut classes = Vec::with_capacity(rows.len());
    for word in table.column(column, rows)? {
        let class = match (&of_category, word) {
            (_, MISSING) => None,
            (Some(own), category) => own[category as usize],
            (None, bits) => known
                .get(number_text(f32::from_bits(bits) + 0.0).as_str())
                .copied(),
        };
        if class.is_none() {
            unknown.insert(table.text(column, word));
        }
        classes.push(class.unwrap_or(0));
    }
    match unknown.is_empty() {
        true => Ok(classes),
        false => Err(format!(
            "the target `{}` has {} that training did not have: {}; those of training are {}",
            table.columns[column].name,
            match unknown.len() {
                1 => "a class".to_owned(),
                count => format!("{} classes", grouped(count as u64)),
            },
            listed(unknown.len() as u64, &unknown),
            listed(names.len() as u64, names)
        )),
    }
}
