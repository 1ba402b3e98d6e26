//! From a file's first bytes to the reader of its format.

use std::path::Path;

use super::bytes::Bytes;
use super::cells::{Table, with_doubt};
use super::how::How;
use super::stored::Stream;
use super::{Watch, csv, named, npy, npz, safetensors, svmlight};
use crate::error::{Error, Result};
use crate::files::GZIP;

/// Number of bytes by which a format is recognised.
const START: u64 = 1 << 16;

/// Reads a whole file, or finds where its cells are.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is not a table.
pub(super) fn open(path: &Path, how: How<'_>, watch: Watch<'_>) -> Result<Table> {
    let bytes = Bytes::open(path)?;
    let ending = path.extension().unwrap_or_default().to_string_lossy();
    let table = bytes.start(START).and_then(|start| {
        let is_whole = start.len() as u64 == bytes.length();
        let (format, doubt) = Format::of(&start, is_whole, &ending)?;
        let table = format.read(&bytes, how, watch);
        let table = table.map_err(|reason| with_doubt(reason, doubt.as_deref()))?;
        Ok(Table { doubt, ..table })
    });
    match table {
        Ok(table) => Ok(Table {
            path: path.to_owned(),
            ..table
        }),
        Err(reason) => Err(Error::Data {
            path: path.to_owned(),
            reason,
        }),
    }
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Format {
    Csv,
    Npy,
    Npz,
    Safetensors,
    Svmlight,
}

impl Format {
    /// Recognises the format by the first bytes, and where these are not clear by the ending of the file's name: then it
    /// also says what was decided. `is_whole`: the file has no other bytes.
    fn of(start: &[u8], is_whole: bool, ending: &str) -> Result<(Self, Option<String>), String> {
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
        let format = match start {
            _ if start.starts_with(npy::MAGIC) => Format::Npy,
            _ if start.starts_with(npz::MAGIC) => Format::Npz,
            _ if safetensors::is_one(start) => Format::Safetensors,
            _ if lone.is_empty() => return Err("it is empty".to_owned()),
            _ => {
                let guess = svmlight::guess(start, is_whole, ending);
                let format = match guess.is_one {
                    true => Format::Svmlight,
                    false => Format::Csv,
                };
                return match is_text(start, format) {
                    true => Ok((format, guess.doubt)),
                    false => Err("it is none of CSV, .npy, .npz, safetensors and svmlight; is it the right file?"
                        .to_owned()),
                };
            }
        };
        Ok((format, None))
    }

    /// Reads the bytes of a file.
    fn read(self, bytes: &Bytes, how: How<'_>, watch: Watch<'_>) -> Result<Table, String> {
        match self {
            Format::Csv => csv::read(bytes, how, watch),
            Format::Npy => {
                let array = npy::find("", bytes, 0, bytes.length())?;
                named::table(vec![array], how, "npy", watch)
            }
            Format::Npz => named::table(npz::find(bytes, how.stream, watch)?, how, "npz", watch),
            Format::Safetensors => {
                named::table(safetensors::find(bytes)?, how, "safetensors", watch)
            }
            Format::Svmlight => svmlight::read(bytes, how, watch),
        }
    }
}

/// Whether bytes are a text, in which single rows may be damaged: those that have a byte 0 are faults.
fn is_text(start: &[u8], format: Format) -> bool {
    let header = start.split(|&byte| byte == b'\n').next();
    let has_header = format == Format::Csv;
    let is_damaged = has_header && header.is_some_and(|line| line.contains(&0));
    // A text in UTF-16 has one in every second place.
    let zeros = start.iter().filter(|&&byte| byte == 0).count();
    !is_damaged && 4 * zeros < start.len()
}

/// For the fuzzers: the table of a file in the format called `name`, whose cells stay there if `stream` says so;
/// `texts`: its columns of texts, if rows that cannot be used are kept.
pub(super) fn parse(
    name: &str,
    bytes: &[u8],
    stream: Stream,
    texts: Option<&[String]>,
) -> Result<Table, String> {
    let format = match name {
        "table_csv" => Format::Csv,
        "npy" => Format::Npy,
        "npz" => Format::Npz,
        "table_safetensors" => Format::Safetensors,
        _ => Format::Svmlight,
    };
    let _ = Format::of(bytes, true, "");
    let how = How {
        texts: texts.unwrap_or_default(),
        stream,
        keeps_faults: texts.is_some(),
        ..How::default()
    };
    format.read(&Bytes::memory(bytes.to_vec()), how, &|_, _| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_first_bytes() {
        let name = |start: &[u8]| match Format::of(start, true, "") {
            Ok((format, _)) => format!("{format:?}").to_lowercase(),
            Err(reason) => reason,
        };
        assert_eq!(name(b"a,b\n1,2\n"), "csv");
        assert_eq!(name(b"1 1:2\n"), "svmlight");
        // A byte 0 is damage of its row, unless there are many or it is in the header.
        assert_eq!(name(b"a,b\n1,2\n3,\0\n"), "csv");
        assert_eq!(name(b"1 1:\0\n1 1:2\n0 1:3\n"), "svmlight");
        assert_eq!(name(b"\x93NUMPY\x01\x00"), "npy");
        assert_eq!(name(b"PK\x03\x04"), "npz");
        assert_eq!(name(b"\x02\0\0\0\0\0\0\0{}"), "safetensors");
        for (start, part) in [
            (&b"PAR1"[..], "Parquet"),
            (b"\x1f\x8b\x08", "packed by gzip"),
            (b" \n", "empty"),
            (b"\x7fELF\0", "is it the right file?"),
            (b"a\0,b\n1,2\n", "is it the right file?"),
            (b"a\0,\0b\0\n\0x\0,\0y\0", "is it the right file?"),
        ] {
            assert!(name(start).contains(part), "{}", name(start));
        }
    }
}
