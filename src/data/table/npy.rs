//! NumPy's `.npy`: an array after a header line that describes it (NEP 1, `numpy.lib.format`, versions 1 to 3).

use super::arrays::Array;
use super::bytes::Bytes;
use super::kind::Kind;

/// The first bytes of such a file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";
/// Most bytes of a header, as NumPy limits it too.
const MOST_HEADER: u64 = 1 << 20;

/// Finds an array in `length` bytes from place `at` on. The text of an error is a reason that fits after the file's
/// name.
pub(super) fn find(name: &str, bytes: &Bytes, at: u64, length: u64) -> Result<Array, String> {
    const CUT: &str = "the .npy file ends within its header";
    let head = bytes.part(at, length.min(MOST_HEADER))?;
    let version = *head.get(MAGIC.len()).ok_or(CUT)?;
    if !head.starts_with(MAGIC) || !(1..=3).contains(&version) {
        return Err("it is no .npy file of version 1 to 3".to_owned());
    }
    let behind = head.get(MAGIC.len() + 2..).ok_or(CUT)?;
    let (size, behind) = match version {
        1 => {
            let (size, behind) = behind.split_first_chunk().ok_or(CUT)?;
            (usize::from(u16::from_le_bytes(*size)), behind)
        }
        _ => {
            let (size, behind) = behind.split_first_chunk().ok_or(CUT)?;
            (u32::from_le_bytes(*size) as usize, behind)
        }
    };
    let header = std::str::from_utf8(behind.get(..size).ok_or(CUT)?)
        .map_err(|_| "the header of the .npy file is no text".to_owned())?;
    let header = Header::parse(header)?;
    let begin = (head.len() - behind.len() + size) as u64;
    let array = Array {
        name: name.to_owned(),
        shape: header.shape,
        kind: header.kind,
        big: header.big,
        columns_first: header.columns_first,
        bytes: bytes.clone(),
        at: at + begin,
    };
    array.check(length - begin)?;
    Ok(array)
}

/// The contents of a header.
struct Header {
    kind: Kind,
    big: bool,
    columns_first: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Parses a dictionary as Python writes it.
    fn parse(text: &str) -> Result<Self, String> {
        let value = |key: &str| {
            let behind = [format!("'{key}':"), format!("\"{key}\":")];
            let found = behind.iter().find_map(|key| text.split_once(key.as_str()));
            let (_, value) = found.ok_or(format!("the header of the .npy file has no `{key}`"))?;
            Ok::<&str, String>(value.trim_start())
        };
        let descr = value("descr")?;
        let descr = descr
            .strip_prefix(['\'', '"'])
            .and_then(|rest| rest.split(['\'', '"']).next())
            .ok_or("it has records of several kinds; save the columns as one array of numbers")?;
        let shape = value("shape")?;
        let sizes = shape
            .strip_prefix('(')
            .and_then(|rest| rest.split(')').next());
        let sizes = sizes.ok_or("the header of the .npy file has no shape")?;
        let sizes = sizes
            .split(',')
            .map(str::trim)
            .filter(|size| !size.is_empty());
        let shape = sizes.map(|size| size.trim_end_matches('L').parse::<usize>());
        let (order, kind) = match descr.as_bytes().first() {
            Some(b'<' | b'|' | b'=') => (false, &descr[1..]),
            Some(b'>') => (true, &descr[1..]),
            _ => (false, descr),
        };
        Ok(Self {
            kind: kind_of(kind).ok_or_else(|| {
                format!("its values are of the kind {descr}, and numbers and texts are read")
            })?,
            big: order,
            columns_first: value("fortran_order")?.starts_with("True"),
            shape: shape
                .collect::<Result<_, _>>()
                .map_err(|_| "the header of the .npy file has no sound shape".to_owned())?,
        })
    }
}

/// The kind of value that a header's letter and number of bytes name.
fn kind_of(text: &str) -> Option<Kind> {
    let (letter, bytes) = text.split_at_checked(1)?;
    let bytes: usize = bytes.parse().ok()?;
    match (letter, bytes) {
        ("b", 1) => Some(Kind::Bool),
        ("i", 1 | 2 | 4 | 8) => Some(Kind::Signed(bytes)),
        ("u", 1 | 2 | 4 | 8) => Some(Kind::Unsigned(bytes)),
        ("f", 2 | 4 | 8) => Some(Kind::Real(bytes)),
        ("S", 1..=4096) => Some(Kind::Bytes(bytes)),
        ("U", 1..=1024) => Some(Kind::Unicode(bytes)),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::arrays::SideBySide;
    use super::super::cells::Cells;
    use super::super::cells::StoredCells;
    use super::*;

    /// A file of version 1.
    pub fn file(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
    }

    fn read(name: &str, bytes: &[u8]) -> Result<Array, String> {
        find(name, &Bytes::memory(bytes.to_vec()), 0, bytes.len() as u64)
    }

    /// The numbers of an array.
    pub fn numbers(array: Array) -> Vec<f32> {
        let (rows, width) = (array.rows(), array.width().unwrap());
        let arrays = vec![(array, width, None)];
        match (SideBySide { arrays }).cells(0..rows).unwrap() {
            Cells::Dense(words) => words.into_iter().map(f32::from_bits).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_of_every_kind_are_read() {
        for (descr, data) in [
            ("<f4", [1.0f32, -2.0].map(f32::to_le_bytes).concat()),
            (">f8", [1.0f64, -2.0].map(f64::to_be_bytes).concat()),
            ("<f2", [0x00, 0x3c, 0x00, 0xc0].to_vec()),
            ("<i8", [1i64, -2].map(i64::to_le_bytes).concat()),
            (">i2", [1i16, -2].map(i16::to_be_bytes).concat()),
            ("|i1", vec![1, 0xfe]),
        ] {
            let array = read("a", &file(descr, false, "(2,)", &data)).unwrap();
            assert_eq!(numbers(array), [1.0, -2.0], "{descr}");
        }
        let bytes = file("|b1", false, "(1, 2)", &[0, 1]);
        assert_eq!(numbers(read("", &bytes).unwrap()), [0.0, 1.0]);
        let wide: Vec<u8> = ['a', '\0', 'é', 'b']
            .iter()
            .flat_map(|&c| (c as u32).to_le_bytes())
            .collect();
        let array = read("", &file("<U2", false, "(2,)", &wide)).unwrap();
        assert_eq!(array.texts().unwrap(), ["a", "éb"]);
        let array = read("", &file("|S2", false, "(2,)", b"a\0bc")).unwrap();
        assert_eq!(array.texts().unwrap(), ["a", "bc"]);
    }

    #[test]
    fn columns_first_become_rows_first() {
        let data: Vec<u8> = (0..6u8).collect();
        let array = read("", &file("|u1", true, "(2, 3)", &data)).unwrap();
        assert_eq!(numbers(array), [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for (bytes, part) in [
            (file("<f4", false, "(2,)", &[0; 7]), "ends early"),
            (file("<c8", false, "(1,)", &[0; 8]), "the kind <c8"),
            (file("|O", false, "(1,)", &[0; 8]), "the kind |O"),
            (
                file("<f4", false, "(99999999999999, 99999999999)", &[]),
                "more values than there can be",
            ),
            (file("<f4", false, "(-1,)", &[]), "no sound shape"),
            (b"\x93NUMPY\x01\x00\xff\xff".to_vec(), "ends within"),
            (b"\x93NUMPY\x07\x00".to_vec(), "version"),
        ] {
            let error = read("", &bytes).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
    }
}
