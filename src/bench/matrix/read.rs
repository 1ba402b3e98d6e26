//! Reading a file in the format that its ending gives.

use std::path::{Path, PathBuf};

use super::parsing::Fault;
use super::{dlmc, market};
use crate::error::{Error, Result};
use crate::files;
use crate::sparse::LayerState;

/// Reads several files, each with its name.
pub(in crate::bench) fn read_all(paths: &[PathBuf]) -> Result<Vec<(String, LayerState)>> {
    let named = |path: &PathBuf| {
        let name = path.file_name().unwrap_or(path.as_os_str());
        Ok((name.to_string_lossy().into_owned(), read(path)?))
    };
    paths.iter().map(named).collect()
}

/// Reads a matrix as a layer whose outputs are the rows and whose inputs are the columns. Missing values are ones
/// (Matrix Market patterns) or random (`.smtx`); biases are zero. The file may be gzipped.
///
/// # Errors
/// The file cannot be read, has another format, or breaks it: the message names the line.
pub fn read(path: &Path) -> Result<LayerState> {
    let fault = |reason: String| Error::Data {
        path: path.to_owned(),
        reason,
    };
    let format = Format::of(path).ok_or_else(|| {
        fault(
            "is neither .mtx (Matrix Market) nor .smtx (Deep Learning Matrix Collection), gzipped or not; give it that \
             ending if it is"
                .to_owned(),
        )
    })?;
    parse(&files::read_unpacked(path)?, format).map_err(|f| match f.line {
        0 => fault(f.reason),
        line => fault(format!("line {line}: {}", f.reason)),
    })
}

/// The file formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Market,
    Dlmc,
}

impl Format {
    /// The format for a file's ending, without a `.gz`.
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
    // Invalid UTF-8, such as an author's name in a comment, does not matter; in place of a number, it is not a number.
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
