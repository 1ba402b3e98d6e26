//! Arrays in files: where their values are, and how these are read as cells.

use std::ops::Range;

use super::bytes::Bytes;
use super::cells::StoredCells;
use super::cells::{Cells, MISSING};
use super::kind::Kind;
use crate::words::grouped;

/// An array in a file.
#[derive(Clone, Debug)]
pub(super) struct Array {
    pub name: String,
    pub shape: Vec<usize>,
    pub kind: Kind,
    /// Whether the highest byte of a value comes first.
    pub big: bool,
    /// Whether the values of a column, rather than of a row, are consecutive.
    pub columns_first: bool,
    pub bytes: Bytes,
    /// The place of the first value.
    pub at: u64,
}

impl Array {
    /// Checks that all values of its shape are in a place of `length` bytes, which is the rest of a file or a part of it.
    ///
    /// # Errors
    /// They are not, or the shape has more than memory can address: a reason that fits after the file's name.
    pub fn check(&self, length: u64) -> Result<(), String> {
        let values = self
            .shape
            .iter()
            .try_fold(1u64, |all, &n| all.checked_mul(n as u64));
        let bytes = values.and_then(|values| values.checked_mul(self.kind.bytes() as u64));
        match bytes {
            Some(bytes) if bytes <= length => Ok(()),
            Some(bytes) => Err(format!(
                "it ends early: its values take {bytes} bytes, and {length} stand behind its header; get it again"
            )),
            None => Err("its header states more values than there can be; get it again".to_owned()),
        }
    }

    pub fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    /// Number of columns; `None` for an array that is not a table.
    pub fn width(&self) -> Option<usize> {
        match self.shape[..] {
            [_] => Some(1),
            [_, width] => Some(width),
            _ => None,
        }
    }

    pub fn described(&self) -> String {
        let sizes: Vec<String> = self.shape.iter().map(usize::to_string).collect();
        match self.name.is_empty() {
            true => sizes.join(" × "),
            false => format!("{} ({})", self.name, sizes.join(" × ")),
        }
    }

    /// Whether a row's values are far apart.
    pub fn is_scattered(&self) -> bool {
        self.columns_first && self.width().is_some_and(|width| width > 1)
    }

    /// Reads the values of these rows of a table, with `width` columns.
    fn raw(&self, rows: Range<usize>, width: usize) -> Result<Vec<u8>, String> {
        let size = self.kind.bytes();
        let mut raw = vec![0; rows.len() * width * size];
        let place = |value: u64| self.at + value * size as u64;
        if !self.is_scattered() {
            let first = rows.start as u64 * width as u64;
            self.bytes.read_at(place(first), &mut raw)?;
            return Ok(raw);
        }
        let mut own = vec![0; rows.len() * size];
        for column in 0..width {
            let first = column as u64 * self.rows() as u64 + rows.start as u64;
            self.bytes.read_at(place(first), &mut own)?;
            for (row, value) in own.chunks_exact(size).enumerate() {
                raw[(row * width + column) * size..][..size].copy_from_slice(value);
            }
        }
        Ok(raw)
    }

    /// All values of an array of texts.
    pub fn texts(&self) -> Result<Vec<String>, String> {
        let raw = self.raw(0..self.rows(), self.width().unwrap_or(0))?;
        self.kind.texts(&raw, self.big)
    }

    /// Writes the numbers of these rows into cells, at the places `at` of rows of `stride`.
    fn put(
        &self,
        rows: Range<usize>,
        words: &mut [u32],
        at: usize,
        stride: usize,
    ) -> Result<(), String> {
        let width = self.width().unwrap_or(0);
        let raw = self.raw(rows.clone(), width)?;
        let (mut row, mut column, mut wrong) = (0, 0, None);
        self.kind.numbers(&raw, self.big, |x| {
            words[row * stride + at + column] = match x {
                x if x.is_nan() => MISSING,
                x => {
                    if x.is_infinite() && wrong.is_none() {
                        wrong = Some((row, column, x));
                    }
                    x.to_bits()
                }
            };
            column += 1;
            if column == width {
                (row, column) = (row + 1, 0);
            }
        });
        match wrong {
            None => Ok(()),
            Some((row, column, x)) => Err(format!(
                "row {}, column {column} of {}: {x} is no finite number of 32 bits",
                grouped((rows.start + row) as u64 + 1),
                self.described()
            )),
        }
    }
}

/// Arrays with the same rows, side by side: the columns of a table.
#[derive(Debug)]
pub(super) struct SideBySide {
    /// Each with its columns, and for texts the cells.
    pub arrays: Vec<(Array, usize, Option<Vec<u32>>)>,
}

impl SideBySide {
    /// Number of columns.
    pub fn width(&self) -> usize {
        self.arrays.iter().map(|(_, width, _)| width).sum()
    }

    /// Whether a row's cells are far apart in the file.
    pub fn is_scattered(&self) -> bool {
        self.arrays.iter().any(|(array, ..)| array.is_scattered())
    }
}

impl StoredCells for SideBySide {
    fn cells(&self, rows: Range<usize>) -> Result<Cells, String> {
        let stride = self.width();
        let mut words = vec![0; rows.len() * stride];
        let mut at = 0;
        for (array, width, texts) in &self.arrays {
            match texts {
                None => array.put(rows.clone(), &mut words, at, stride)?,
                Some(cells) => {
                    let own = &cells[rows.start * width..rows.end * width];
                    for (row, cells) in own.chunks_exact((*width).max(1)).enumerate() {
                        words[row * stride + at..][..*width].copy_from_slice(cells);
                    }
                }
            }
            at += width;
        }
        Ok(Cells::Dense(words))
    }
}
