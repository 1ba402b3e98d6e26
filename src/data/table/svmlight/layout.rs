//! The columns of the table, and where in them a row's labels and numbers belong.

use std::collections::{BTreeSet, HashMap};

use super::super::cells::Column;
use super::row::{in_columns, number, parts};

/// The columns of a table, which all rows together decide.
pub(super) struct Layout {
    pub rows: usize,
    pub pairs: u64,
    /// The number of the first column.
    pub least: u32,
    /// Number of columns before the labels.
    pub width: usize,
    pub columns: Vec<Column>,
    /// The place of each label, by its bits; `None` if there is one column for it.
    pub places: Option<HashMap<u32, u32>>,
}

impl Layout {
    /// Adds the columns of a row that are not 0, in order, and their values.
    pub fn row(
        &self,
        line: &str,
        columns: &mut Vec<u32>,
        values: &mut Vec<f32>,
    ) -> Result<(), String> {
        let (labels, pairs) = parts(line);
        for entry in in_columns(pairs) {
            let (index, value) = entry?;
            columns.push(index - self.least);
            values.push(value);
        }
        match &self.places {
            None => {
                for label in labels {
                    columns.push(self.width as u32);
                    values.push(number(label)?);
                }
            }
            Some(places) => {
                let mut own: BTreeSet<u32> = BTreeSet::new();
                for label in labels {
                    own.extend(places.get(&number(label)?.to_bits()));
                }
                columns.extend(own.iter().map(|place| self.width as u32 + place));
                values.extend(own.iter().map(|_| 1.0));
            }
        }
        Ok(())
    }
}
