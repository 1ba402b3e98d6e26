//! What both parsers share: faults and their lines, numbers between words, and sizes that a machine can hold.

use std::str::FromStr;

use crate::engine::host_memory;
use crate::engine::random::{pcg4d, unit};

/// What is wrong with a file, and on which line; 0 stands for the whole file.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
    pub(super) line: usize,
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(line: usize, reason: impl Into<String>) -> Self {
        Fault {
            line,
            reason: reason.into(),
        }
    }
}

/// A number given as a word, such as a size or an index.
pub(super) fn whole<T: FromStr>(word: Option<&str>, line: usize, what: &str) -> Result<T, Fault> {
    let word = word.ok_or_else(|| Fault::new(line, format!("{what} is missing")))?;
    word.parse().map_err(|_| {
        Fault::new(
            line,
            format!("{what} is \"{}\", no number that fits", shown(word)),
        )
    })
}

/// The beginning of a word, which may be anything.
pub(super) fn shown(word: &str) -> String {
    match word.char_indices().nth(24) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

/// Refuses sizes that no memory holds, before anything is allocated for them.
pub(super) fn admit(rows: usize, cols: usize, line: usize) -> Result<(), Fault> {
    if rows == 0 || cols == 0 {
        return Err(Fault::new(
            line,
            format!("a matrix of {rows} × {cols} has no entries"),
        ));
    }
    let too_large = || {
        Fault::new(
            line,
            format!("a matrix of {rows} × {cols} is too large for this machine"),
        )
    };
    if rows.max(cols) >= u32::MAX as usize {
        return Err(too_large());
    }
    // Offsets, biases and their optimiser state.
    let bytes = (rows + cols) as u64 * 32;
    host_memory::admit("matrix", bytes, host_memory::available()).map_err(|_| too_large())
}

/// A weight in [-1, 1) for an entry without a value.
pub(super) fn drawn(index: usize) -> f64 {
    f64::from(unit(pcg4d([4, 0, (index >> 32) as u32, index as u32])[0]) * 2.0 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_past_memory_are_refused_before_they_are_allocated() {
        assert!(admit(0, 4, 1).is_err());
        assert!(admit(u32::MAX as usize, 4, 1).is_err());
        assert!(admit(usize::MAX, usize::MAX, 1).is_err());
        assert!(admit(1000, 1000, 1).is_ok());
    }
}
