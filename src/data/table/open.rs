//! From a file's first bytes to the reader of its format.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::cells::Table;
use super::{Watch, arrays, csv, npy, npz, safetensors, svmlight};
use crate::engine::host_memory;
use crate::error::{Error, Result};
use crate::files::{self, GZIP, Most};
use crate::words::grouped;

/// Number of bytes by which a format is recognised.
const START: u64 = 1 << 16;

/// How to read a file.
#[derive(Clone, Copy)]
pub(super) struct How<'a> {
    /// Columns that are texts, whatever they contain.
    pub texts: &'a [String],
    /// Columns that are left out.
    pub ignore: &'a [String],
    /// The array that is the target, for a file of arrays.
    pub target: Option<&'a str>,
    /// Whether svmlight rows have several labels, even if each has one.
    pub labels: bool,
}

/// Reads a whole file.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not a table or is larger than the memory.
pub(super) fn open(path: &Path, how: How<'_>, watch: Watch<'_>) -> Result<Table> {
    let wrong = |reason| Error::Data {
        path: path.to_owned(),
        reason,
    };
    let (file, about) = files::open(path)?;
    let mut start = Vec::new();
    file.take(START)
        .read_to_end(&mut start)
        .map_err(Error::io("read", path))?;
    let format = Format::of(&start).map_err(wrong)?;
    if let Format::Csv = format {
        let open = || File::open(path).map(|file| Box::new(file) as Box<dyn Read>);
        return csv::read(&open, about.len(), how.texts, how.ignore, watch).map_err(wrong);
    }
    // The bytes, the numbers of the arrays, and the cells made from them.
    let (needed, free) = (about.len().saturating_mul(3), host_memory::available());
    if free.is_some_and(|free| needed > free) {
        return Err(wrong(format!(
            "to read its {} bytes takes about {} bytes of memory, and this machine has {} free; split the file",
            grouped(about.len()),
            grouped(needed),
            grouped(free.unwrap_or(0))
        )));
    }
    let bytes = files::read(path, Most::memory())?;
    watch(bytes.len() as u64, bytes.len() as u64);
    format.read(&bytes, how).map_err(wrong)
}

/// The formats.
#[derive(Clone, Copy)]
enum Format {
    Csv,
    Npy,
    Npz,
    Safetensors,
    Svmlight,
}

impl Format {
    /// Recognises the format by the first bytes.
    fn of(start: &[u8]) -> Result<Self, String> {
        const PACKED: [(&[u8], &str); 4] = [
            (&GZIP, "gzip"),
            (b"\x28\xb5\x2f\xfd", "zstd"),
            (b"\xfd7zXZ", "xz"),
            (b"BZh", "bzip2"),
        ];
        if let Some((_, name)) = PACKED.iter().find(|(magic, _)| start.starts_with(magic)) {
            return Err(format!("it is packed by {name}; unpack it"));
        }
        if start.starts_with(b"PAR1") {
            return Err(
                "it is in Apache Parquet, which is not read; save it as CSV or .npz".to_owned(),
            );
        }
        let lone = start
            .strip_prefix(b"\xef\xbb\xbf")
            .unwrap_or(start)
            .trim_ascii_start();
        Ok(match start {
            _ if start.starts_with(npy::MAGIC) => Format::Npy,
            _ if start.starts_with(npz::MAGIC) => Format::Npz,
            _ if safetensors::is_one(start) => Format::Safetensors,
            _ if lone.is_empty() => return Err("it is empty".to_owned()),
            _ if start.contains(&0) => {
                return Err(
                    "it is none of CSV, .npy, .npz, safetensors and svmlight; is it the right file?"
                        .to_owned(),
                );
            }
            _ if svmlight::is_one(start) => Format::Svmlight,
            _ => Format::Csv,
        })
    }

    /// Reads the bytes of a file.
    fn read(self, bytes: &[u8], how: How<'_>) -> Result<Table, String> {
        match self {
            Format::Csv => {
                let open = || Ok(Box::new(io::Cursor::new(bytes.to_vec())) as Box<dyn Read>);
                let bytes = bytes.len() as u64;
                csv::read(&open, bytes, how.texts, how.ignore, &|_, _| ())
            }
            Format::Npy => arrays::table(vec![npy::read("", bytes)?], how.target, "npy"),
            Format::Npz => arrays::table(npz::read(bytes)?, how.target, "npz"),
            Format::Safetensors => {
                arrays::table(safetensors::read(bytes)?, how.target, "safetensors")
            }
            Format::Svmlight => svmlight::read(bytes, how.labels),
        }
    }
}

/// For the fuzzers: the table of a file in the format called `name`.
pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Table, String> {
    let format = match name {
        "table_csv" => Format::Csv,
        "npy" => Format::Npy,
        "npz" => Format::Npz,
        "table_safetensors" => Format::Safetensors,
        _ => Format::Svmlight,
    };
    let _ = Format::of(bytes);
    let how = How {
        texts: &[],
        ignore: &[],
        target: None,
        labels: false,
    };
    format.read(bytes, how)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_first_bytes() {
        let name = |start: &[u8]| match Format::of(start) {
            Ok(Format::Csv) => "csv".to_owned(),
            Ok(Format::Npy) => "npy".to_owned(),
            Ok(Format::Npz) => "npz".to_owned(),
            Ok(Format::Safetensors) => "safetensors".to_owned(),
            Ok(Format::Svmlight) => "svmlight".to_owned(),
            Err(reason) => reason,
        };
        assert_eq!(name(b"a,b\n1,2\n"), "csv");
        assert_eq!(name(b"1 1:2\n"), "svmlight");
        assert_eq!(name(b"\x93NUMPY\x01\x00"), "npy");
        assert_eq!(name(b"PK\x03\x04"), "npz");
        assert_eq!(name(b"\x02\0\0\0\0\0\0\0{}"), "safetensors");
        for (start, part) in [
            (&b"PAR1"[..], "Parquet"),
            (b"\x1f\x8b\x08", "packed by gzip"),
            (b" \n", "empty"),
            (b"\x7fELF\0", "is it the right file?"),
        ] {
            assert!(name(start).contains(part), "{}", name(start));
        }
    }
}
