//! The text of a cell: a number, nothing, or one of its column's texts.

use std::collections::HashMap;

use super::cells::MISSING;
use crate::words::listed;

/// Maximum number of different texts in a column.
pub(super) const MOST_CATEGORIES: usize = 10_000;
/// Texts that stand for a missing value, besides an empty cell.
const NOTHING: [&[u8]; 13] = [
    b"NA", b"N/A", b"n/a", b"na", b"nan", b"NaN", b"NAN", b"null", b"NULL", b"None", b"?", b"<NA>",
    b"#N/A",
];

/// The texts of a column, in order of first appearance.
#[derive(Default)]
pub(super) struct Categories {
    numbers: HashMap<Box<[u8]>, u32>,
    pub names: Vec<String>,
}

impl Categories {
    /// The number of a text.
    pub fn number(&mut self, cell: &[u8]) -> Result<u32, String> {
        if let Some(&number) = self.numbers.get(cell) {
            return Ok(number);
        }
        let name = std::str::from_utf8(cell).map_err(|_| "this is no text in UTF-8".to_owned())?;
        if self.names.len() == MOST_CATEGORIES {
            return Err(format!(
                "`{name}` is one text more than the {MOST_CATEGORIES} that categories may have, of which the first are \
                 {}; leave the column out, or mend what is no number",
                listed(3, &self.names[..3])
            ));
        }
        let number = self.names.len() as u32;
        self.numbers.insert(cell.into(), number);
        self.names.push(name.to_owned());
        Ok(number)
    }
}
/// The bits of a number; `None` for a text.
pub(super) fn number(cell: &[u8]) -> Result<Option<u32>, String> {
    let parsed = std::str::from_utf8(cell)
        .ok()
        .and_then(|text| text.parse::<f32>().ok());
    match parsed {
        Some(x) if x.is_finite() => Ok(Some(x.to_bits())),
        Some(x) if x.is_nan() => Ok(Some(MISSING)),
        Some(_) => Err(format!(
            "{} is no finite number of 32 bits",
            String::from_utf8_lossy(cell)
        )),
        None if is_nothing(cell) => Ok(Some(MISSING)),
        None => Ok(None),
    }
}

/// Whether the cell's value is missing.
pub(super) fn is_nothing(cell: &[u8]) -> bool {
    cell.is_empty() || (cell.len() <= 4 && NOTHING.contains(&cell))
}
