//! The kinds of values that arrays in files have.

use half::{bf16, f16};

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Bool,
    Signed(usize),
    Unsigned(usize),
    /// IEEE 754's numbers of so many bytes.
    Real(usize),
    /// The upper half of a number of 32 bits.
    BFloat16,
    /// Bytes, this many per text.
    Bytes(usize),
    /// Characters of 4 bytes, this many per text.
    Unicode(usize),
}

impl Kind {
    /// Size of a value.
    pub fn bytes(self) -> usize {
        match self {
            Kind::Bool => 1,
            Kind::BFloat16 => 2,
            Kind::Signed(n) | Kind::Unsigned(n) | Kind::Real(n) | Kind::Bytes(n) => n,
            Kind::Unicode(n) => 4 * n,
        }
    }

    /// Whether values are texts.
    pub fn is_text(self) -> bool {
        matches!(self, Kind::Bytes(_) | Kind::Unicode(_))
    }

    /// The texts of these bytes; `big`: the highest byte of a value comes first.
    ///
    /// # Errors
    /// One is no text: a reason that fits after the file's name.
    pub fn texts(self, data: &[u8], big: bool) -> Result<Vec<String>, String> {
        let each = data.chunks_exact(self.bytes());
        let text = |chars: String| chars.trim_end_matches('\0').to_owned();
        match self {
            Kind::Unicode(_) => {
                let one = |b: &[u8]| {
                    let chars = b
                        .chunks_exact(4)
                        .map(|b| char::from_u32(word(b, big) as u32));
                    chars.collect::<Option<String>>().map(text)
                };
                let texts: Option<Vec<String>> = each.map(one).collect();
                texts.ok_or_else(|| "it has a text that is none in Unicode".to_owned())
            }
            _ => Ok(each
                .map(|b| text(String::from_utf8_lossy(b).into_owned()))
                .collect()),
        }
    }

    /// Calls `see` with each number of these bytes, rounded to 32 bits.
    pub fn numbers(self, data: &[u8], big: bool, mut see: impl FnMut(f32)) {
        match (self, big) {
            (Kind::Real(4), false) => {
                let (each, _) = data.as_chunks::<4>();
                each.iter().for_each(|&b| see(f32::from_le_bytes(b)));
            }
            (Kind::Real(8), false) => {
                let (each, _) = data.as_chunks::<8>();
                each.iter().for_each(|&b| see(f64::from_le_bytes(b) as f32));
            }
            _ => {
                let each = data.chunks_exact(self.bytes());
                each.for_each(|b| see(self.number(word(b, big))));
            }
        }
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
            Kind::BFloat16 => bf16::from_bits(bits as u16).to_f32(),
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
