//! Real sparse matrices from files: Matrix Market (`.mtx`) and the Deep Learning Matrix Collection (`.smtx`).
//!
//! Both parsers are our own: the crates that read Matrix Market (`sprs`, `nalgebra-sparse`) do not say on which line a file is
//! wrong, and none reads `.smtx`.

mod dlmc;
mod market;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::engine::host_memory;
use crate::engine::random::{pcg4d, unit};
use crate::error::{Error, Result};
use crate::sparse::LayerState;

/// What is wrong with a file, and on which line.
#[derive(Debug, PartialEq)]
struct Fault {
    line: usize,
    reason: String,
}

impl Fault {
    fn new(line: usize, reason: impl Into<String>) -> Self {
        Fault {
            line,
            reason: reason.into(),
        }
    }
}

/// Entries of a matrix, not yet in order.
struct Entries {
    rows: usize,
    cols: usize,
    /// `(row, column, value)`, counted from 0.
    entries: Vec<(u32, u32, f64)>,
}

/// Reads several, each with its file's name.
pub(super) fn read_all(paths: &[PathBuf]) -> Result<Vec<(String, LayerState)>> {
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok((name.to_string_lossy().into_owned(), read(path)?))
    };
    paths.iter().map(named).collect()
}

/// Reads a matrix as a layer whose outputs are the rows and whose inputs are the columns. Values that the file lacks are ones
/// (Matrix Market patterns) or random (`.smtx`); biases are zero.
///
/// # Errors
/// A file that cannot be read, another format, or contents that break it: the message names the line.
pub fn read(path: &Path) -> Result<LayerState> {
    let fault = |reason: String| Error::Data {
        path: path.to_owned(),
        reason,
    };
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    let parse = match extension.to_ascii_lowercase().as_str() {
        "mtx" => market::parse,
        "smtx" => dlmc::parse,
        _ => {
            return Err(fault(
                "is neither .mtx (Matrix Market) nor .smtx (Deep Learning Matrix Collection); give it that ending if it is"
                    .to_owned(),
            ));
        }
    };
    let bytes = std::fs::read(path).map_err(Error::io("read", path))?;
    let text = str::from_utf8(&bytes).map_err(|e| {
        let line = bytes[..e.valid_up_to()].iter().filter(|&&b| b == b'\n');
        fault(format!("line {}: is no text", line.count() + 1))
    })?;
    let entries = parse(text).map_err(|f| fault(format!("line {}: {}", f.line, f.reason)))?;
    if entries.entries.is_empty() {
        return Err(fault(
            "has no entries: there is nothing to measure".to_owned(),
        ));
    }
    Ok(entries.into_layer())
}

impl Entries {
    /// In order, with the values of repeated pairs added up.
    fn into_layer(mut self) -> LayerState {
        self.entries.sort_by_key(|&(row, col, _)| (row, col));
        self.entries.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 += next.2;
            }
            same
        });
        let pairs: Vec<(u32, u32)> = self.entries.iter().map(|e| (e.0, e.1)).collect();
        let mut layer = LayerState::from_pairs(self.cols, self.rows, &pairs);
        layer.values = self.entries.iter().map(|e| e.2 as f32).collect();
        layer
    }
}

/// A number between words, such as a size or an index.
fn whole<T: FromStr>(word: Option<&str>, line: usize, what: &str) -> Result<T, Fault> {
    let word = word.ok_or_else(|| Fault::new(line, format!("{what} is missing")))?;
    word.parse().map_err(|_| {
        Fault::new(
            line,
            format!("{what} is \"{}\", no number that fits", shown(word)),
        )
    })
}

/// The start of a word, which may be anything.
fn shown(word: &str) -> String {
    match word.char_indices().nth(24) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word.to_owned(),
    }
}

/// Refuses sizes that no memory holds, before anything is allocated by them.
fn admit(rows: usize, cols: usize, line: usize) -> Result<(), Fault> {
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
fn drawn(index: usize) -> f64 {
    f64::from(unit(pcg4d([4, 0, (index >> 32) as u32, index as u32])[0]) * 2.0 - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_pairs_are_added_up() {
        let entries = vec![(1, 0, 2.0), (0, 2, 1.5), (1, 0, -0.5), (1, 1, 4.0)];
        let layer = Entries {
            rows: 3,
            cols: 4,
            entries,
        }
        .into_layer();
        assert_eq!((layer.n_out, layer.n_in), (3, 4));
        assert_eq!(layer.crow_indices, [0, 1, 3, 3]);
        assert_eq!(layer.col_indices, [2, 0, 1]);
        assert_eq!(layer.values, [1.5, 1.5, 4.0]);
    }

    #[test]
    fn sizes_past_memory_are_refused_before_they_are_allocated() {
        assert!(admit(0, 4, 1).is_err());
        assert!(admit(u32::MAX as usize, 4, 1).is_err());
        assert!(admit(usize::MAX, usize::MAX, 1).is_err());
        assert!(admit(1000, 1000, 1).is_ok());
    }
}
