//! What all rows say together, before any of them is kept: the columns of the table.

use std::collections::BTreeSet;

use super::super::cells::{Column, MOST_COLUMNS, in_order};
use super::layout::Layout;
use super::row::{number, pair, parts};
use crate::words::grouped;

/// What all rows say together.
#[derive(Default)]
pub(super) struct Survey {
    pub rows: usize,
    pairs: u64,
    least: Option<u32>,
    most: Option<u32>,
    /// The bits of all labels.
    labels: BTreeSet<u32>,
    /// Whether a row has another number of labels than one.
    several: bool,
}

impl Survey {
    pub fn add(&mut self, line: &str) -> Result<(), String> {
        let (labels, mut pairs) = parts(line);
        let mut count = 0;
        for label in labels {
            self.labels.insert(number(label)?.to_bits());
            count += 1;
        }
        // Columns stand in order: this is checked when the row is read.
        if let Some(first) = pairs.next() {
            let first = pair(first)?.0;
            let mut after = 0;
            let last = match pairs.inspect(|_| after += 1).last() {
                Some(last) => pair(last)?.0,
                None => first,
            };
            self.pairs += 1 + after;
            self.least = Some(self.least.unwrap_or(first).min(first));
            self.most = Some(self.most.unwrap_or(last).max(last));
        }
        self.rows += 1;
        self.several |= count != 1;
        self.pairs += count;
        Ok(())
    }

    /// The table that has these rows.
    pub fn layout(self, sizes: Option<[usize; 3]>, labels: bool) -> Result<Layout, String> {
        if let Some([count, ..]) = sizes
            && count != self.rows
        {
            return Err(format!(
                "its first line says {} rows, and it has {}; get it again",
                grouped(count as u64),
                grouped(self.rows as u64)
            ));
        }
        if self.rows == 0 {
            return Err("it has no rows".to_owned());
        }
        let said = sizes.map(|[_, columns, _]| columns);
        // libsvm counts columns from 1; files that state the number of columns, or have a column 0, count from 0.
        let least = match said {
            Some(_) => 0,
            None => self.least.unwrap_or(1).min(1),
        };
        let most = self.most.map_or(0, |most| most + 1 - least) as usize;
        let width = most.max(said.unwrap_or(0)).max(1);
        if width > MOST_COLUMNS {
            return Err(format!(
                "its {width} columns are more than the {MOST_COLUMNS} that a table may have"
            ));
        }
        let mut columns: Vec<Column> = (0..width)
            .map(|i| Column::numbers((i + least as usize).to_string()))
            .collect();
        let is_single = !labels && !self.several;
        let mut places = None;
        match is_single {
            true => columns.push(Column::numbers("label")),
            false => {
                let name = |bits: &u32| f32::from_bits(*bits).to_string();
                let (names, of) = in_order(self.labels.iter().map(name).collect());
                places = Some(self.labels.iter().copied().zip(of).collect());
                columns.extend(
                    names
                        .iter()
                        .map(|name| Column::numbers(format!("label {name}"))),
                );
            }
        }
        if columns.len() > MOST_COLUMNS {
            return Err(format!(
                "its {width} columns and {} labels are more than the {MOST_COLUMNS} that a table may have",
                columns.len() - width
            ));
        }
        Ok(Layout {
            rows: self.rows,
            pairs: self.pairs,
            least,
            width,
            columns,
            places,
        })
    }
}
