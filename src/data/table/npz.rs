//! NumPy's `.npz`: a ZIP archive with an `.npy` file for each array, stored or deflated.
//!
//! Entries are found through the directory at the archive's end, as PKWARE's APPNOTE.TXT says (4.3.12, 4.3.16, and
//! 4.5.3 for archives past 4 GiB).

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::arrays::Array;
use super::npy;
use crate::engine::host_memory;

/// The first bytes of such a file.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

const CUT: &str = "the archive is damaged or ends early; get it again";

/// Reads all arrays. The text of an error is a reason that fits after the file's name.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Array>, String> {
    let free = host_memory::available().unwrap_or(u64::MAX);
    let arrays = entries(bytes)?.into_iter().map(|entry| {
        let name = entry.name.strip_suffix(".npy").unwrap_or(&entry.name);
        let wrong = |reason: String| format!("its array {name}: {reason}");
        let content = entry.content(bytes, free).map_err(wrong)?;
        npy::read(name, &content).map_err(wrong)
    });
    arrays.collect()
}

/// A file in an archive.
struct Entry {
    name: String,
    deflated: bool,
    crc: u32,
    packed: u64,
    size: u64,
    /// The place of its own header.
    at: u64,
}

/// The bytes at a place, if there are that many.
fn part(bytes: &[u8], at: u64, length: u64) -> Result<&[u8], String> {
    let (at, length) = (usize::try_from(at), usize::try_from(length));
    let (Ok(at), Ok(length)) = (at, length) else {
        return Err(CUT.to_owned());
    };
    let range = at..at.checked_add(length).ok_or(CUT)?;
    bytes.get(range).ok_or_else(|| CUT.to_owned())
}

/// A number of `length` bytes, lowest byte first.
fn number(bytes: &[u8], at: u64, length: u64) -> Result<u64, String> {
    let bytes = part(bytes, at, length)?.iter().rev();
    Ok(bytes.fold(0, |all, &byte| all << 8 | u64::from(byte)))
}

/// The files in an archive.
fn entries(bytes: &[u8]) -> Result<Vec<Entry>, String> {
    const END: &[u8] = b"PK\x05\x06";
    // A comment of at most 64 KiB follows it.
    let start = bytes.len().saturating_sub(22 + (1 << 16));
    let found = bytes[start..]
        .windows(END.len())
        .rposition(|four| four == END);
    let end = (start + found.ok_or(CUT)?) as u64;
    part(bytes, end, 22)?;
    let (mut count, mut at) = (number(bytes, end + 10, 2)?, number(bytes, end + 16, 4)?);
    if at == 0xffff_ffff || count == 0xffff {
        let locator = end.checked_sub(20).ok_or(CUT)?;
        if part(bytes, locator, 4)? == b"PK\x06\x07" {
            let end = number(bytes, locator + 8, 8)?;
            let field = |offset: u64| number(bytes, end.checked_add(offset).ok_or(CUT)?, 8);
            (count, at) = (field(32)?, field(48)?);
        }
    }
    let mut entries = Vec::new();
    for _ in 0..count {
        if part(bytes, at, 4)? != b"PK\x01\x02" {
            return Err(CUT.to_owned());
        }
        let field = |offset: u64, length: u64| number(bytes, at + offset, length);
        let (name, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let text = String::from_utf8_lossy(part(bytes, at + 46, name)?).into_owned();
        let mut sizes = [field(24, 4)?, field(20, 4)?, field(42, 4)?];
        large(part(bytes, at + 46 + name, extra)?, &mut sizes)?;
        let [size, packed, place] = sizes;
        if field(8, 2)? & 1 != 0 {
            return Err(format!("its entry {text} is encrypted"));
        }
        let deflated = match field(10, 2)? {
            0 => false,
            8 => true,
            other => {
                return Err(format!(
                    "its entry {text} is packed by method {other}; save it by numpy.savez or savez_compressed"
                ));
            }
        };
        let crc = field(16, 4)? as u32;
        at += 46 + name + extra + comment;
        if text.ends_with(".npy") {
            entries.push(Entry {
                name: text,
                deflated,
                crc,
                packed,
                size,
                at: place,
            });
        }
    }
    Ok(entries)
}

/// Takes the numbers that do not fit 32 bits from the extra field for that purpose.
fn large(extra: &[u8], sizes: &mut [u64; 3]) -> Result<(), String> {
    let mut at = 0;
    while at + 4 <= extra.len() as u64 {
        let (id, length) = (number(extra, at, 2)?, number(extra, at + 2, 2)?);
        if id == 1 {
            let (mut place, end) = (at + 4, at + 4 + length);
            for size in sizes.iter_mut().filter(|size| **size == 0xffff_ffff) {
                if place + 8 > end {
                    return Err(CUT.to_owned());
                }
                *size = number(extra, place, 8)?;
                place += 8;
            }
        }
        at += 4 + length;
    }
    Ok(())
}

impl Entry {
    /// Its unpacked bytes: as many as it says, and with its checksum.
    fn content(&self, archive: &[u8], free: u64) -> Result<Vec<u8>, String> {
        if self.size > free {
            return Err(format!(
                "it unpacks to {} bytes, and this machine has {free} of free memory",
                self.size
            ));
        }
        if part(archive, self.at, 4)? != MAGIC {
            return Err(CUT.to_owned());
        }
        let header = |offset| number(archive, self.at + offset, 2);
        let start = self.at + 30 + header(26)? + header(28)?;
        let packed = part(archive, start, self.packed)?;
        let mut content = Vec::new();
        if self.deflated {
            // Reading one more byte than allowed shows whether there are more.
            let mut unpacked = DeflateDecoder::new(packed).take(self.size.saturating_add(1));
            (unpacked.read_to_end(&mut content)).map_err(|error| format!("{CUT} ({error})"))?;
        } else {
            content.extend_from_slice(packed);
        }
        match content.len() as u64 == self.size && crc32fast::hash(&content) == self.crc {
            true => Ok(content),
            false => Err("it fails its checksum; get the file again".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

    use super::super::arrays::Values;
    use super::*;

    /// An archive with one file.
    fn archive(name: &str, content: &[u8], deflated: bool) -> Vec<u8> {
        let packed = match deflated {
            true => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(content).unwrap();
                encoder.finish().unwrap()
            }
            false => content.to_vec(),
        };
        let method = if deflated { 8u16 } else { 0 }.to_le_bytes();
        let crc = crc32fast::hash(content).to_le_bytes();
        let sizes = [packed.len(), content.len()]
            .map(|n| (n as u32).to_le_bytes())
            .concat();
        let named = [&(name.len() as u16).to_le_bytes()[..], &[0, 0]].concat();
        let common = [&[20u8, 0, 0, 0][..], &method, &[0; 4], &crc, &sizes, &named].concat();
        let local = [MAGIC, &common, name.as_bytes(), &packed].concat();
        let central = [
            b"PK\x01\x02\x14\x00",
            &common[..],
            &[0; 14],
            name.as_bytes(),
        ]
        .concat();
        let place = |n: usize| (n as u32).to_le_bytes();
        let end = [
            b"PK\x05\x06\0\0\0\0\x01\0\x01\0",
            &place(central.len())[..],
            &place(local.len()),
            &[0, 0],
        ];
        [local, central, end.concat()].concat()
    }

    #[test]
    fn stored_and_deflated_arrays_are_read_and_damage_is_seen() {
        let file = npy::tests::file("|u1", false, "(4,)", &[1, 2, 3, 4]);
        for deflated in [false, true] {
            let bytes = archive("y.npy", &file, deflated);
            let arrays = read(&bytes).unwrap();
            assert_eq!((arrays.len(), arrays[0].name.as_str()), (1, "y"));
            assert_eq!(arrays[0].values, Values::Numbers(vec![1.0, 2.0, 3.0, 4.0]));
            let mut damaged = bytes.clone();
            damaged[35 + file.len() / 2] ^= 1;
            assert!(read(&damaged).is_err());
            for length in 0..bytes.len() {
                assert!(read(&bytes[..length]).is_err(), "{length}");
            }
        }
    }
}
