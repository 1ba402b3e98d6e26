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
use crate::files;
use crate::sparse::LayerState;

/// Largest sum of a row's or a column's values: what 32 bits hold, with room for rounding.
const LARGEST: f64 = f32::MAX as f64 / 2.0;

/// What is wrong with a file, and on which line; 0 where it is the whole.
#[derive(Debug, PartialEq)]
pub(crate) struct Fault {
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
/// (Matrix Market patterns) or random (`.smtx`); biases are zero. The file may be gzipped.
///
/// # Errors
/// A file that cannot be read, another format, or contents that break it: the message names the line.
pub fn read(path: &Path) -> Result<LayerState> {
    let fault = |reason: String| Error::Data {
        path: path.to_owned(),
        reason,
    };
    let format = Format::of(path).ok_or_else(|| {
        fault(
            "is neither .mtx (Matrix Market) nor .smtx (Deep Learning Matrix Collection), gzipped or not; give it that ending if \
             it is"
                .to_owned(),
        )
    })?;
    parse(&files::read_unpacked(path)?, format).map_err(|f| match f.line {
        0 => fault(f.reason),
        line => fault(format!("line {line}: {}", f.reason)),
    })
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Market,
    Dlmc,
}

impl Format {
    /// By a file's ending, in front of a `.gz`.
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.')?.1 {
            "mtx" => Some(Format::Market),
            "smtx" => Some(Format::Dlmc),
            _ => None,
        }
    }
}

/// The layer in a file's bytes.
pub(crate) fn parse(bytes: &[u8], format: Format) -> Result<LayerState, Fault> {
    // What is no UTF-8, such as an author's name in a comment, is of no interest; where a number should be, it is no number.
    let text = String::from_utf8_lossy(bytes);
    let entries = match format {
        Format::Market => market::parse(&text)?,
        Format::Dlmc => dlmc::parse(&text)?,
    };
    if entries.entries.is_empty() {
        return Err(Fault::new(0, "has no entries: there is nothing to measure"));
    }
    // Only Matrix Market has values that could be too large.
    entries.into_layer(|pair| market::line_of(&text, pair))
}

impl Entries {
    /// In order, with the values of repeated pairs added up. `line_of` finds the last line with a pair.
    fn into_layer(mut self, line_of: impl Fn((u32, u32)) -> usize) -> Result<LayerState, Fault> {
        self.entries.sort_by_key(|&(row, col, _)| (row, col));
        self.entries.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 += next.2;
            }
            same
        });
        if let Some(&(row, col, sum)) = (self.entries.iter()).find(|e| !(e.2 as f32).is_finite()) {
            let reason = format!(
                "the entries of row {}, column {} add up to {sum:e}, too large for 32-bit products",
                row + 1,
                col + 1
            );
            return Err(Fault::new(line_of((row, col)), reason));
        }
        self.admit_products()?;
        let pairs: Vec<(u32, u32)> = self.entries.iter().map(|e| (e.0, e.1)).collect();
        let mut layer = LayerState::from_pairs(self.cols, self.rows, &pairs);
        layer.values = self.entries.iter().map(|e| e.2 as f32).collect();
        Ok(layer)
    }

    /// Refuses values whose products with numbers of [-1, 1], such as the benchmark's, could pass what 32 bits hold: no device
    /// could compute them.
    fn admit_products(&self) -> Result<(), Fault> {
        let mut sums = [vec![0f64; self.rows], vec![0f64; self.cols]];
        for &(row, col, value) in &self.entries {
            sums[0][row as usize] += value.abs();
            sums[1][col as usize] += value.abs();
        }
        for (sums, what) in sums.iter().zip(["row", "column"]) {
            if let Some(i) = sums.iter().position(|&sum| sum > LARGEST) {
                let reason = format!(
                    "its values are too large for 32-bit products: those of {what} {} add up to {:e}, and at most {LARGEST:e} can \
                     be measured; scale them down",
                    i + 1,
                    sums[i]
                );
                return Err(Fault::new(0, reason));
            }
        }
        Ok(())
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
        .into_layer(|_| 0)
        .unwrap();
        assert_eq!((layer.n_out, layer.n_in), (3, 4));
        assert_eq!(layer.crow_indices, [0, 1, 3, 3]);
        assert_eq!(layer.col_indices, [2, 0, 1]);
        assert_eq!(layer.values, [1.5, 1.5, 4.0]);
    }

    #[test]
    fn values_past_32_bits_are_refused() {
        let header = "%%MatrixMarket matrix coordinate real general\n";
        let says = |text: &str, line: usize, reason: &str| {
            let fault = parse(text.as_bytes(), Format::Market).unwrap_err();
            assert_eq!(fault.line, line, "{fault:?}");
            assert!(fault.reason.contains(reason), "{fault:?}");
        };
        says(
            &format!("{header}3 3 3\n1 2 3e38\n1 2 3e38\n1 1 1\n"),
            4,
            "row 1, column 2 add up to 6e38, too large for 32-bit products",
        );
        says(
            &format!("{header}2 2 2\n2 1 1e38\n2 2 -1e38\n"),
            0,
            "those of row 2 add up to 2e38",
        );
        says(
            &format!("{header}2 2 2\n1 2 1e38\n2 2 -1e38\n"),
            0,
            "those of column 2 add up to 2e38",
        );
        let good = format!("{header}% caf\u{e9}\n2 2 2\n1 1 1e38\n2 2 -1e38\n");
        assert_eq!(parse(good.as_bytes(), Format::Market).unwrap().active(), 2);
    }

    #[test]
    fn formats_go_by_endings() {
        for (name, format) in [
            ("a.mtx", Some(Format::Market)),
            ("a.MTX.gz", Some(Format::Market)),
            ("a.smtx.GZ", Some(Format::Dlmc)),
            ("a.gz", None),
            ("mtx", None),
        ] {
            assert_eq!(Format::of(Path::new(name)), format, "{name}");
        }
    }

    #[test]
    fn sizes_past_memory_are_refused_before_they_are_allocated() {
        assert!(admit(0, 4, 1).is_err());
        assert!(admit(u32::MAX as usize, 4, 1).is_err());
        assert!(admit(usize::MAX, usize::MAX, 1).is_err());
        assert!(admit(1000, 1000, 1).is_ok());
    }
}
