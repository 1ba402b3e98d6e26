//! NumPy's `.npy`: an array after a header line that describes it (NEP 1, `numpy.lib.format`, versions 1 to 3).

use half::f16;

use super::arrays::{Array, Values, room};

/// The first bytes of such a file.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads an array. The text of an error is a reason that fits after the file's name.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Array, String> {
    const CUT: &str = "the .npy file ends within its header";
    let version = *bytes.get(MAGIC.len()).ok_or(CUT)?;
    if !bytes.starts_with(MAGIC) || !(1..=3).contains(&version) {
        return Err("it is no .npy file of version 1 to 3".to_owned());
    }
    let at = MAGIC.len() + 2;
    let (length, start) = match version {
        1 => {
            let length = bytes
                .get(at..at + 2)
                .and_then(|b| b.try_into().ok())
                .ok_or(CUT)?;
            (usize::from(u16::from_le_bytes(length)), at + 2)
        }
        _ => {
            let length = bytes
                .get(at..at + 4)
                .and_then(|b| b.try_into().ok())
                .ok_or(CUT)?;
            (u32::from_le_bytes(length) as usize, at + 4)
        }
    };
    let end = start.checked_add(length).ok_or(CUT)?;
    let header = std::str::from_utf8(bytes.get(start..end).ok_or(CUT)?)
        .map_err(|_| "the header of the .npy file is no text".to_owned())?;
    let header = Header::parse(header)?;
    let count = room(&header.shape)?;
    let (kind, data) = (header.kind, &bytes[end..]);
    let needed = count
        .checked_mul(kind.bytes())
        .filter(|&needed| needed <= data.len());
    let Some(needed) = needed else {
        return Err(format!(
            "it ends early: {count} values of {} bytes do not stand in the {} behind its header; get it again",
            kind.bytes(),
            data.len()
        ));
    };
    let values = kind.values(&data[..needed], header.big)?;
    Ok(Array {
        name: name.to_owned(),
        values: match header.columns_first {
            true => by_rows(values, &header.shape)?,
            false => values,
        },
        shape: header.shape,
    })
}

/// From Fortran's order to C's.
fn by_rows(values: Values, shape: &[usize]) -> Result<Values, String> {
    let &[rows, width] = shape else {
        return match shape.len() {
            0 | 1 => Ok(values),
            _ => Err(
                "an array in Fortran's order with more than 2 dimensions is no table".to_owned(),
            ),
        };
    };
    fn transposed<T: Clone>(all: &[T], rows: usize, width: usize) -> Vec<T> {
        let cells = (0..rows).flat_map(|row| (0..width).map(move |column| column * rows + row));
        cells.map(|at| all[at].clone()).collect()
    }
    Ok(match values {
        Values::Numbers(all) => Values::Numbers(transposed(&all, rows, width)),
        Values::Texts(all) => Values::Texts(transposed(&all, rows, width)),
    })
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
            kind: Kind::parse(kind).ok_or_else(|| {
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

/// The kinds of values that can be read.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Bool,
    Signed(usize),
    Unsigned(usize),
    Real(usize),
    /// Bytes, this many per text.
    Bytes(usize),
    /// Characters of 4 bytes, this many per text.
    Unicode(usize),
}

impl Kind {
    fn parse(text: &str) -> Option<Self> {
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

    fn bytes(self) -> usize {
        match self {
            Kind::Bool => 1,
            Kind::Signed(n) | Kind::Unsigned(n) | Kind::Real(n) | Kind::Bytes(n) => n,
            Kind::Unicode(n) => 4 * n,
        }
    }

    /// The values of these bytes; `big`: the highest byte of a value comes first.
    pub fn values(self, data: &[u8], big: bool) -> Result<Values, String> {
        let each = data.chunks_exact(self.bytes());
        let text = |chars: String| chars.trim_end_matches('\0').to_owned();
        Ok(match self {
            Kind::Bytes(_) => {
                let texts = each.map(|b| text(String::from_utf8_lossy(b).into_owned()));
                Values::Texts(texts.collect())
            }
            Kind::Unicode(_) => {
                let one = |b: &[u8]| {
                    let chars = b
                        .chunks_exact(4)
                        .map(|b| char::from_u32(word(b, big) as u32));
                    chars.collect::<Option<String>>().map(text)
                };
                let texts: Option<Vec<String>> = each.map(one).collect();
                Values::Texts(texts.ok_or("it has a text that is none in Unicode")?)
            }
            _ => Values::Numbers(each.map(|b| self.number(word(b, big))).collect()),
        })
    }

    /// The number that these bits represent, rounded to 32 bits.
    fn number(self, bits: u64) -> f32 {
        match self {
            Kind::Bool => f32::from(u8::from(bits != 0)),
            Kind::Signed(bytes) => {
                let unused = 64 - 8 * bytes as u32;
                (((bits << unused) as i64) >> unused) as f32
            }
            Kind::Unsigned(_) => bits as f32,
            Kind::Real(2) => f16::from_bits(bits as u16).to_f32(),
            Kind::Real(4) => f32::from_bits(bits as u32),
            Kind::Real(_) | Kind::Bytes(_) | Kind::Unicode(_) => f64::from_bits(bits) as f32,
        }
    }
}

/// Up to eight bytes as one word.
fn word(bytes: &[u8], big: bool) -> u64 {
    let add = |word: u64, &byte: &u8| word << 8 | u64::from(byte);
    match big {
        true => bytes.iter().fold(0, add),
        false => bytes.iter().rev().fold(0, add),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A file of version 1.
    pub fn file(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> Vec<u8> {
        let order = if fortran { "True" } else { "False" };
        let header =
            format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let length = (header.len() as u16).to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
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
            assert_eq!(array.values, Values::Numbers(vec![1.0, -2.0]), "{descr}");
        }
        let bytes = file("|b1", false, "(1, 2)", &[0, 1]);
        assert_eq!(
            read("", &bytes).unwrap().values,
            Values::Numbers(vec![0.0, 1.0])
        );
        let texts = |a: &str, b: &str| Values::Texts(vec![a.to_owned(), b.to_owned()]);
        let wide: Vec<u8> = ['a', '\0', 'é', 'b']
            .iter()
            .flat_map(|&c| (c as u32).to_le_bytes())
            .collect();
        let array = read("", &file("<U2", false, "(2,)", &wide)).unwrap();
        assert_eq!(array.values, texts("a", "éb"));
        let array = read("", &file("|S2", false, "(2,)", b"a\0bc")).unwrap();
        assert_eq!(array.values, texts("a", "bc"));
    }

    #[test]
    fn columns_first_become_rows_first() {
        let data: Vec<u8> = (0..6u8).collect();
        let array = read("", &file("|u1", true, "(2, 3)", &data)).unwrap();
        assert_eq!(
            array.values,
            Values::Numbers(vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0])
        );
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for (bytes, part) in [
            (file("<f4", false, "(2,)", &[0; 7]), "ends early"),
            (file("<c8", false, "(1,)", &[0; 8]), "the kind <c8"),
            (file("|O", false, "(1,)", &[0; 8]), "the kind |O"),
            (
                file("<f4", false, "(99999999999999, 99999999999)", &[]),
                "too many",
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
