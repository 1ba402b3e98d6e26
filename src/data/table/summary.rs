//! What was understood of a table, for people: columns with their types and ranges, the target, the parts, rows.

use std::path::Path;

use serde::Serialize;

use super::Watch;
use super::cells::{MISSING, Row, Table, with_doubt};
use super::how::How;
use super::load::of_part;
use super::missing::usable;
use super::open::open;
use super::part::{Part, name};
use super::preprocessing::Missing;
use super::roles::{self, Roles};
use super::targets::{Kind, classes as classes_of};
use crate::data::{DataOptions, Task};
use crate::error::{Error, Result};

/// What was understood of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TableSummary {
    /// The file's name.
    pub name: String,
    /// The name of its format.
    pub format: String,
    /// Number of its rows.
    pub rows: usize,
    /// Size of its cells in memory, in bytes.
    pub bytes: u64,
    /// The columns that become inputs.
    pub columns: Vec<ColumnSummary>,
    /// Names of columns that are left out.
    pub ignored: Vec<String>,
    /// What is to be learned.
    pub target: TargetSummary,
    /// Rows to train on and to test on; `None` if a training would refuse the table, as `refused` says.
    pub parts: Option<PartSummary>,
    /// Why a training would refuse the table as it is.
    pub refused: Option<String>,
    /// What to know about it, in whole sentences.
    pub notes: Vec<String>,
    /// The first rows as they are in the file: the inputs in the order of `columns`, then the target.
    pub first: Vec<Vec<String>>,
}

/// What was understood of a column.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ColumnSummary {
    /// Its name.
    pub name: String,
    /// For numbers: the lowest, the mean and the highest, without missing ones.
    pub range: Option<[f64; 3]>,
    /// For texts: the different ones with their counts, the most frequent first.
    pub categories: Option<Vec<(String, u64)>>,
    /// Number of cells without a value.
    pub missing: u64,
}

/// What was understood of the target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetSummary {
    /// `classes`, `values` or `labels`.
    pub kind: String,
    /// Its columns.
    pub columns: Vec<ColumnSummary>,
    /// For classes, their rows, in the order of the classes; for labels, the rows that have each.
    pub classes: Vec<(String, u64)>,
}

/// The parts that a training would have.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PartSummary {
    /// Rows to train on.
    pub train: usize,
    /// Validation rows, if there are any.
    pub validation: Option<usize>,
    /// Where the test rows come from.
    pub validation_part: Option<String>,
    /// Rows to test on.
    pub test: usize,
    /// Where the test rows come from.
    pub test_part: String,
    /// Number of inputs of the network.
    pub inputs: usize,
}

/// Number of rows that are shown.
const SHOWN: usize = 5;

/// Reads a table and says what was understood.
///
/// # Errors
/// As [`load`](crate::data::load), except for what a training would refuse only because of missing values or of how
/// rows are divided: the summary states those.
pub fn summarise(source: &DataOptions, watch: Watch<'_>) -> Result<TableSummary> {
    let (path, options) = (Path::new(&source.name), &source.table);
    let ignore = roles::names(options.ignore.as_deref());
    let how = How {
        texts: &[],
        ignore: &ignore,
        target: options.target.as_deref(),
        weight: options.weight.as_deref(),
        labels: options.task == Some(Task::MultiLabel),
        stream: options.stream.into(),
        keeps_faults: false,
    };
    let table = open(path, how, watch)?;
    let doubt = table.doubt.clone();
    let wrong = |reason| Error::Data {
        path: path.to_owned(),
        reason: with_doubt(reason, doubt.as_deref()),
    };
    if table.rows == 0 {
        return Err(wrong("it has no rows".to_owned()));
    }
    let roles = Roles::choose(&table, options).map_err(wrong)?;
    let bytes = table.bytes();
    let columns = of_columns(&table, &roles.inputs).map_err(wrong)?;
    let target = of_target(&table, &roles, options.task).map_err(wrong)?;
    let mut first = Vec::new();
    let show = |_: u32, row: Row<'_>| {
        let columns = roles.inputs.iter().chain(&roles.targets);
        let cells = columns.map(|&column| table.text(column, row.word(column)));
        first.push(cells.collect());
    };
    table
        .each(0..table.rows.min(SHOWN) as u32, show)
        .map_err(wrong)?;
    let (rows, format) = (table.rows, table.format.to_owned());
    let ignored: Vec<String> = (table.columns.iter().map(|column| column.name.clone()))
        .chain(table.left_out.clone())
        .filter(|name| ignore.contains(name))
        .collect();
    let told = roles.note.clone();
    let part = Part::of(table, roles, options.missing, options.task).map_err(wrong);
    let (parts, refused, notes) = match part.and_then(|part| of_part(part, source, watch)) {
        Ok(data) => {
            let part = PartSummary {
                train: data.train.len(),
                validation: data.validation.as_ref().map(|held| held.images.len()),
                validation_part: data.validation.map(|held| held.part.to_string()),
                test: data.test.len(),
                test_part: data.test_part.to_string(),
                inputs: data.shape.features(),
            };
            (Some(part), None, [data.untaught, data.notes].concat())
        }
        Err(error) => (
            None,
            Some(error.to_string()),
            told.into_iter().chain(doubt).collect(),
        ),
    };
    Ok(TableSummary {
        name: name(path),
        format,
        rows,
        bytes,
        columns,
        ignored,
        target,
        parts,
        refused,
        notes,
        first,
    })
}

/// What all rows say about some columns.
fn of_columns(table: &Table, columns: &[usize]) -> Result<Vec<ColumnSummary>, String> {
    struct Seen {
        missing: u64,
        count: u64,
        sum: f64,
        range: [f64; 2],
        counts: Vec<u64>,
    }
    let categories = |column: usize| table.columns[column].categories.as_ref();
    let new = |&column: &usize| Seen {
        missing: 0,
        count: 0,
        sum: 0.0,
        range: [f64::INFINITY, f64::NEG_INFINITY],
        counts: vec![0; categories(column).map_or(0, Vec::len)],
    };
    let mut all: Vec<Seen> = columns.iter().map(new).collect();
    table.each(0..table.rows as u32, |_, row| {
        for (seen, &column) in all.iter_mut().zip(columns) {
            let word = row.word(column);
            match (word, seen.counts.get_mut(word as usize)) {
                (MISSING, _) => seen.missing += 1,
                (_, Some(count)) => *count += 1,
                (bits, None) => {
                    let x = f64::from(f32::from_bits(bits));
                    seen.range = [seen.range[0].min(x), seen.range[1].max(x)];
                    (seen.sum, seen.count) = (seen.sum + x, seen.count + 1);
                }
            }
        }
    })?;
    let summaries = all.into_iter().zip(columns).map(|(seen, &column)| {
        let categories = categories(column).map(|names| {
            let mut counted: Vec<(String, u64)> = names.iter().cloned().zip(seen.counts).collect();
            counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            counted
        });
        let [least, most] = seen.range;
        ColumnSummary {
            name: table.columns[column].name.clone(),
            range: (seen.count > 0).then(|| [least, seen.sum / seen.count as f64, most]),
            categories,
            missing: seen.missing,
        }
    });
    Ok(summaries.collect())
}

fn of_target(table: &Table, roles: &Roles, task: Option<Task>) -> Result<TargetSummary, String> {
    let columns = &roles.targets;
    let (rows, _) = usable(table, roles, Missing::Drop)?;
    let kind = Kind::of(table, columns, &rows, task)?;
    let mut classes = Vec::new();
    match &kind {
        Kind::Classes(names) => {
            let of_rows = classes_of(table, columns[0], names, &rows)?;
            let mut counts = vec![0u64; names.len()];
            of_rows
                .iter()
                .for_each(|&class| counts[class as usize] += 1);
            classes = names.iter().cloned().zip(counts).collect();
        }
        Kind::Labels => {
            let name = |&column: &usize| (table.columns[column].name.clone(), 0);
            classes = columns.iter().map(name).collect();
            table.each(rows.iter().copied(), |_, row| {
                for ((_, count), &column) in classes.iter_mut().zip(columns) {
                    *count += u64::from(row.word(column) == 1.0f32.to_bits());
                }
            })?;
        }
        Kind::Values => {}
    }
    Ok(TargetSummary {
        kind: match kind {
            Kind::Classes(_) => "classes",
            Kind::Values => "values",
            Kind::Labels => "labels",
        }
        .to_owned(),
        columns: of_columns(table, columns)?,
        classes,
    })
}
