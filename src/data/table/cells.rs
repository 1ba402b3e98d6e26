//! A table: a 32-bit word per cell, in memory or in a file.

use std::fmt::Debug;
use std::ops::Range;
use std::path::PathBuf;

use super::faults::Faults;
use crate::error::{Error, Result as Outcome};

/// The word of a cell without a value, for numbers (no finite number has these bits) and categories alike.
pub(super) const MISSING: u32 = u32::MAX;

/// Maximum number of columns of a table: each has a name and a rule.
pub(super) const MOST_COLUMNS: usize = 50_000;

/// A table, from whatever file. Rows are counted from 0 here, and from 1 in messages.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub columns: Vec<Column>,
    pub rows: usize,
    pub cells: Cells,
    /// The file that it was read from.
    pub path: PathBuf,
    /// The columns that the format itself declares as targets.
    pub targets: Vec<usize>,
    /// Names of columns that were left out while reading, as requested.
    pub left_out: Vec<String>,
    /// The rows without values that were kept, as requested.
    pub faults: Faults,
    /// The name of the format.
    pub format: &'static str,
    /// What was decided, if it is not clear that this is the format: a whole sentence.
    pub doubt: Option<String>,
}

/// A column.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Column {
    pub name: String,
    /// For a column of texts, its different texts, in order; a cell is the number of one of them. `None`: cells are
    /// numbers.
    pub categories: Option<Vec<String>>,
}

impl Column {
    /// A column of numbers.
    pub fn numbers(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            categories: None,
        }
    }
}

/// The cells of all rows.
#[derive(Debug)]
pub(super) enum Cells {
    /// `[row][column]`: the bits of a number, or the number of a category.
    Dense(Vec<u32>),
    /// Numbers, where missing entries are 0: for each row its stored columns, in ascending order.
    Sparse {
        /// Where each row begins, and the end of the last one.
        starts: Vec<usize>,
        columns: Vec<u32>,
        values: Vec<f32>,
    },
    /// In a file; sparse if `sparse`.
    Stored {
        stored: Box<dyn StoredCells>,
        sparse: bool,
    },
}

/// Cells that are read when they are needed.
pub(super) trait StoredCells: Debug + Send + Sync {
    /// The cells of these rows, in memory. The text of an error is a reason that fits after the file's name.
    fn cells(&self, rows: Range<usize>) -> Result<Cells, String>;
}

/// Size of the cells that are read from a file at once, when all rows are looked at.
const BLOCK: usize = 8 << 20;

impl Default for Cells {
    fn default() -> Self {
        Cells::Dense(Vec::new())
    }
}

/// The cells of a row.
#[derive(Clone, Copy, Debug)]
pub(super) enum Row<'a> {
    Dense(&'a [u32]),
    Sparse(&'a [u32], &'a [f32]),
}

impl Row<'_> {
    /// The word of a cell.
    pub fn word(&self, column: usize) -> u32 {
        match self {
            Row::Dense(words) => words[column],
            Row::Sparse(columns, values) => match columns.binary_search(&(column as u32)) {
                Ok(at) => values[at].to_bits(),
                Err(_) => 0,
            },
        }
    }
}

impl Cells {
    /// A row of `width` columns, which are in memory.
    fn row(&self, width: usize, row: usize) -> Row<'_> {
        match self {
            Cells::Dense(words) => Row::Dense(&words[row * width..][..width]),
            Cells::Sparse {
                starts,
                columns,
                values,
            } => {
                let range = starts[row]..starts[row + 1];
                Row::Sparse(&columns[range.clone()], &values[range])
            }
            // What a file yields is in memory.
            Cells::Stored { .. } => Row::Sparse(&[], &[]),
        }
    }
}

impl Table {
    /// Looks at a row.
    ///
    /// # Errors
    /// Its file cannot be read, or has changed: a reason that fits after the file's name.
    pub fn row<T>(&self, row: usize, see: impl FnOnce(Row<'_>) -> T) -> Result<T, String> {
        let width = self.columns.len();
        match &self.cells {
            Cells::Stored { stored, .. } => {
                let cells = stored.cells(row..row + 1)?;
                Ok(see(cells.row(width, 0)))
            }
            cells => Ok(see(cells.row(width, row))),
        }
    }

    /// Looks at these rows, one after the other; a file is read in blocks of rows, so they should be in order.
    ///
    /// # Errors
    /// As [`row`](Self::row).
    pub fn each(
        &self,
        rows: impl IntoIterator<Item = u32>,
        mut see: impl FnMut(u32, Row<'_>),
    ) -> Result<(), String> {
        let width = self.columns.len();
        let Cells::Stored { stored, sparse } = &self.cells else {
            for row in rows {
                see(row, self.cells.row(width, row as usize));
            }
            return Ok(());
        };
        // Rows of sparse tables differ in length.
        let at_once = match sparse {
            true => 4096,
            false => (BLOCK / 4 / width.max(1)).max(1),
        };
        let mut block: (Range<usize>, Cells) = (0..0, Cells::default());
        for row in rows {
            let place = row as usize;
            if !block.0.contains(&place) {
                let range = place..self.rows.min(place + at_once);
                block = (range.clone(), stored.cells(range)?);
            }
            see(row, block.1.row(width, place - block.0.start));
        }
        Ok(())
    }

    /// The words of a column in these rows.
    ///
    /// # Errors
    /// As [`row`](Self::row).
    pub fn column(&self, column: usize, rows: &[u32]) -> Result<Vec<u32>, String> {
        let mut words = Vec::with_capacity(rows.len());
        self.each(rows.iter().copied(), |_, row| words.push(row.word(column)))?;
        Ok(words)
    }

    /// A reason, with what was decided about the format if that is not clear.
    pub fn doubted(&self, reason: String) -> String {
        with_doubt(reason, self.doubt.as_deref())
    }

    /// The error for a reason that concerns its file.
    pub fn wrong(&self, reason: String) -> Error {
        Error::Data {
            path: self.path.clone(),
            reason,
        }
    }

    /// As [`row`](Self::row), with an error that names the file.
    pub fn read<T>(&self, row: usize, see: impl FnOnce(Row<'_>) -> T) -> Outcome<T> {
        self.row(row, see).map_err(|reason| self.wrong(reason))
    }

    /// Whether cells that are not stored are 0.
    pub fn is_sparse(&self) -> bool {
        matches!(
            self.cells,
            Cells::Sparse { .. } | Cells::Stored { sparse: true, .. }
        )
    }

    /// Whether its cells stay in a file.
    pub fn is_stored(&self) -> bool {
        matches!(self.cells, Cells::Stored { .. })
    }

    /// Size of the cells in memory, in bytes.
    pub fn bytes(&self) -> u64 {
        (match &self.cells {
            Cells::Dense(words) => 4 * words.len(),
            Cells::Sparse {
                starts, columns, ..
            } => size_of_val(&starts[..]) + 8 * columns.len(),
            Cells::Stored { .. } => 0,
        }) as u64
    }

    /// The column with a name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The text of a cell, as in its file or nearly so.
    pub fn text(&self, column: usize, word: u32) -> String {
        match (&self.columns[column].categories, word) {
            (_, MISSING) => String::new(),
            (Some(names), category) => names[category as usize].clone(),
            (None, bits) => number_text(f32::from_bits(bits)),
        }
    }
}

/// A reason, and behind it what was decided about the format.
pub(super) fn with_doubt(reason: String, doubt: Option<&str>) -> String {
    match doubt {
        Some(doubt) => format!("{reason}; {doubt}"),
        None => reason,
    }
}

/// The text of a number, without a point if it is whole; this is also the name of the class that it stands for.
pub(super) fn number_text(x: f32) -> String {
    match is_whole(x) {
        true => format!("{}", x as i64),
        false => x.to_string(),
    }
}

/// Whether it is a whole number that 32 bits represent exactly, along with all its neighbours.
pub(super) fn is_whole(x: f32) -> bool {
    x.fract() == 0.0 && x.abs() <= 16_777_216.0
}

/// Sorts texts, with numbers by their value, and returns the new place of each.
pub(super) fn in_order(names: Vec<String>) -> (Vec<String>, Vec<u32>) {
    let key = |name: &str| name.parse::<f64>().ok().filter(|x| x.is_finite());
    let numbers = names.iter().all(|name| key(name).is_some());
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&names[a], &names[b]);
        let by_size = match numbers {
            true => key(a).partial_cmp(&key(b)).unwrap_or(a.cmp(b)),
            false => std::cmp::Ordering::Equal,
        };
        by_size.then_with(|| a.cmp(b))
    });
    let mut places = vec![0; names.len()];
    for (place, &name) in order.iter().enumerate() {
        places[name] = place as u32;
    }
    let mut names: Vec<Option<String>> = names.into_iter().map(Some).collect();
    let ordered = order.iter().filter_map(|&name| names[name].take());
    (ordered.collect(), places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_order_and_numbers_among_them_by_size() {
        let order = |names: &[&str]| in_order(names.iter().map(|&n| n.to_owned()).collect());
        assert_eq!(order(&["10", "9", "-1"]).0, ["-1", "9", "10"]);
        let (names, places) = order(&["b", "10", "a", "9"]);
        assert_eq!(names, ["10", "9", "a", "b"]);
        assert_eq!(places, [3, 0, 2, 1]);
    }

    #[test]
    fn a_word_of_a_sparse_row_that_is_not_there_is_zero() {
        let row = Row::Sparse(&[1, 4], &[2.0, 3.0]);
        let words = [0, 1, 2, 4].map(|column| f32::from_bits(row.word(column)));
        assert_eq!(words, [0.0, 2.0, 0.0, 3.0]);
        assert_eq!([number_text(2.0), number_text(-0.5)], ["2", "-0.5"]);
    }
}
