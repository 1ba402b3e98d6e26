//! The confusion matrix of `rootlet eval`: on a terminal, in a file, as JSON.

use std::collections::BTreeMap;
use std::path::Path;

use rootlet::loss::Outcomes;
use rootlet::report::{NewFile, TextTable, write_row};
use rootlet::{Error, Result};
use serde::Serialize;

/// Most classes whose matrix is printed.
const MOST_PRINTED: usize = 20;
/// Longest names that columns have on a terminal, in characters.
const SHORT: usize = 4;

/// The samples of a class that got one answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Confused {
    class: String,
    answer: String,
    samples: u64,
}

/// How many samples of each class got which answer.
pub(super) struct Confusion<'a> {
    names: Vec<String>,
    counts: &'a BTreeMap<(u32, u32), u64>,
}

impl<'a> Confusion<'a> {
    /// The matrix; `None` unless samples have one class each. A class without a name has its number.
    pub fn of(names: &[String], outcomes: &'a Outcomes) -> Option<Self> {
        let name = |class: usize| names.get(class).cloned().unwrap_or(class.to_string());
        Some(Self {
            counts: outcomes.confusion()?,
            names: (0..outcomes.classes().len()).map(name).collect(),
        })
    }

    fn count(&self, class: usize, answer: usize) -> u64 {
        let pair = (class as u32, answer as u32);
        self.counts.get(&pair).copied().unwrap_or(0)
    }

    /// The pairs that occurred.
    pub fn pairs(&self) -> Vec<Confused> {
        let name = |class: u32| self.names.get(class as usize).cloned().unwrap_or_default();
        let pairs = self.counts.iter();
        pairs
            .map(|(&(class, answer), &samples)| Confused {
                class: name(class),
                answer: name(answer),
                samples,
            })
            .collect()
    }

    /// The matrix for a terminal; of many classes only where it can be had.
    pub fn table(&self) -> String {
        let classes = self.names.len();
        if classes > MOST_PRINTED {
            return format!(
                "\n\nthe confusion matrix of {classes} classes is not printed; --confusion FILE writes it"
            );
        }
        // Long names would make lines that no terminal fits: then columns have the numbers of the rows.
        let short = self.names.iter().all(|name| name.chars().count() <= SHORT);
        let column = |class: usize| match short {
            true => self.names[class].clone(),
            false => class.to_string(),
        };
        let name = |class: usize| match short {
            true => self.names[class].clone(),
            false => format!("{class} {}", self.names[class]),
        };
        let header = std::iter::once("class".to_owned()).chain((0..classes).map(column));
        let row = |class: usize| {
            let counts = (0..classes).map(|answer| match self.count(class, answer) {
                0 => ".".to_owned(),
                count => count.to_string(),
            });
            std::iter::once(name(class)).chain(counts).collect()
        };
        let table = TextTable {
            header: header.collect(),
            rows: (0..classes).map(row).collect(),
            words: 1,
        };
        format!(
            "\n\nrows: class, columns: answer\n{}",
            table.aligned().trim_end()
        )
    }

    /// Writes the whole matrix as CSV.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut file = NewFile::begin(path, &[], true)?;
        let header = std::iter::once("class".to_owned()).chain(self.names.iter().cloned());
        let rows = (0..self.names.len()).map(|class| {
            let counts = (0..self.names.len()).map(|answer| self.count(class, answer).to_string());
            std::iter::once(self.names[class].clone())
                .chain(counts)
                .collect()
        });
        for row in std::iter::once(header.collect()).chain(rows) {
            let row: Vec<String> = row;
            write_row(&mut file, &row).map_err(Error::io("write", path))?;
        }
        file.finish()
    }
}
