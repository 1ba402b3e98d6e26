//! NumPy's `.npz`: a ZIP archive with an `.npy` file for each array, stored or deflated.
//!
//! Entries are found through the directory at the archive's end, as PKWARE's APPNOTE.TXT says (4.3.12, 4.3.16, and
//! 4.5.3 for archives past 4 GiB). Stored arrays stay where they are; deflated ones are unpacked, into memory or into a
//! file.

use std::io::Read;

use flate2::read::DeflateDecoder;

use super::Watch;
use super::arrays::Array;
use super::bytes::{Bytes, too_large};
use super::npy;
use super::scratch::Scratch;
use super::stored::Stream;
use crate::engine::host_memory;

/// The first bytes of such a file.
pub(super) const MAGIC: &[u8] = b"PK\x03\x04";

const CUT: &str = "the archive is damaged or ends early; get it again";
/// Most bytes of a directory: that of a million arrays.
const MOST_DIRECTORY: u64 = 100 << 20;

/// Finds all arrays, and checks them. The text of an error is a reason that fits after the file's name.
pub(super) fn find(bytes: &Bytes, stream: Stream, watch: Watch<'_>) -> Result<Vec<Array>, String> {
    let arrays = entries(bytes)?.into_iter().map(|entry| {
        let name = entry.name.strip_suffix(".npy").unwrap_or(&entry.name);
        let wrong = |reason: String| format!("its array {name}: {reason}");
        let (content, at) = entry.content(bytes, stream, watch).map_err(wrong)?;
        npy::find(name, &content, at, entry.size).map_err(wrong)
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

/// The same of an archive.
fn archived(bytes: &Bytes, at: u64, length: u64) -> Result<Vec<u8>, String> {
    let whole = at
        .checked_add(length)
        .is_some_and(|end| end <= bytes.length());
    match whole {
        true => bytes.part(at, length),
        false => Err(CUT.to_owned()),
    }
}

/// The files in an archive.
fn entries(bytes: &Bytes) -> Result<Vec<Entry>, String> {
    const END: &[u8] = b"PK\x05\x06";
    // A comment of at most 64 KiB follows it, and the place of a larger one precedes it.
    let start = bytes.length().saturating_sub(20 + 22 + (1 << 16));
    let tail = archived(bytes, start, bytes.length() - start)?;
    let found = tail.windows(END.len()).rposition(|four| four == END);
    let end = found.ok_or(CUT)? as u64;
    part(&tail, end, 22)?;
    let (mut count, mut at) = (number(&tail, end + 10, 2)?, number(&tail, end + 16, 4)?);
    let mut last = start + end;
    if at == 0xffff_ffff || count == 0xffff {
        let locator = end.checked_sub(20).ok_or(CUT)?;
        if part(&tail, locator, 4)? == b"PK\x06\x07" {
            last = number(&tail, locator + 8, 8)?;
            let record = archived(bytes, last, 56)?;
            (count, at) = (number(&record, 32, 8)?, number(&record, 48, 8)?);
        }
    }
    let length = last
        .checked_sub(at)
        .filter(|&length| length <= MOST_DIRECTORY);
    let directory = archived(bytes, at, length.ok_or(CUT)?)?;
    let (mut entries, mut at) = (Vec::new(), 0);
    for _ in 0..count {
        if part(&directory, at, 4)? != b"PK\x01\x02" {
            return Err(CUT.to_owned());
        }
        let field = |offset: u64, length: u64| number(&directory, at + offset, length);
        let (name, extra, comment) = (field(28, 2)?, field(30, 2)?, field(32, 2)?);
        let text = String::from_utf8_lossy(part(&directory, at + 46, name)?).into_owned();
        let mut sizes = [field(24, 4)?, field(20, 4)?, field(42, 4)?];
        large(part(&directory, at + 46 + name, extra)?, &mut sizes)?;
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
    /// Its unpacked bytes and the place of the first: as many as it says, and with its checksum.
    fn content(
        &self,
        archive: &Bytes,
        stream: Stream,
        watch: Watch<'_>,
    ) -> Result<(Bytes, u64), String> {
        let header = archived(archive, self.at, 30)?;
        if part(&header, 0, 4)? != MAGIC {
            return Err(CUT.to_owned());
        }
        let start = self.at + 30 + number(&header, 26, 2)? + number(&header, 28, 2)?;
        let whole = start.checked_add(self.packed);
        if whole.is_none_or(|end| end > archive.length()) {
            return Err(CUT.to_owned());
        }
        let packed = archive.reader(start, self.packed);
        if !self.deflated {
            self.check(packed, watch, |_| Ok(()))?;
            return Ok((archive.clone(), start));
        }
        // Reading one more byte than allowed shows whether there are more.
        let unpacked = DeflateDecoder::new(packed).take(self.size.saturating_add(1));
        if stream.of(self.size)? {
            let mut file = Scratch::new()?;
            self.check(unpacked, watch, |bytes| file.add(bytes))?;
            return Ok((file.done()?, 0));
        }
        let mut content = Vec::new();
        let room = usize::try_from(self.size).unwrap_or(usize::MAX);
        let free = host_memory::available().unwrap_or(u64::MAX);
        if self.size > free {
            return Err(too_large("it unpacks to", self.size, free));
        }
        // A damaged size is not believed before the bytes are there.
        content.reserve(room.min(64 << 20));
        self.check(unpacked, watch, |bytes| {
            content.extend_from_slice(bytes);
            Ok(())
        })?;
        Ok((Bytes::memory(content), 0))
    }

    /// Hands on bytes, which must be as many as it says and have its checksum.
    fn check(
        &self,
        mut bytes: impl Read,
        watch: Watch<'_>,
        mut see: impl FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        let (mut crc, mut length) = (crc32fast::Hasher::new(), 0);
        let mut block = vec![0; 1 << 20];
        loop {
            let read = bytes.read(&mut block);
            let count = read.map_err(|error| format!("{CUT} ({error})"))?;
            if count == 0 {
                break;
            }
            crc.update(&block[..count]);
            see(&block[..count])?;
            length += count as u64;
            watch(length, self.size);
        }
        match length == self.size && crc.finalize() == self.crc {
            true => Ok(()),
            false => Err("it fails its checksum; get the file again".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::DeflateEncoder;

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

    fn read(bytes: &[u8]) -> Result<Vec<Array>, String> {
        find(&Bytes::memory(bytes.to_vec()), Stream::Auto, &|_, _| ())
    }

    #[test]
    fn stored_and_deflated_arrays_are_read_and_damage_is_seen() {
        let file = npy::tests::file("|u1", false, "(4,)", &[1, 2, 3, 4]);
        for deflated in [false, true] {
            let bytes = archive("y.npy", &file, deflated);
            let mut arrays = read(&bytes).unwrap();
            assert_eq!((arrays.len(), arrays[0].name.as_str()), (1, "y"));
            assert_eq!(npy::tests::numbers(arrays.remove(0)), [1.0, 2.0, 3.0, 4.0]);
            let mut damaged = bytes.clone();
            damaged[35 + file.len() / 2] ^= 1;
            assert!(read(&damaged).is_err());
            for length in 0..bytes.len() {
                assert!(read(&bytes[..length]).is_err(), "{length}");
            }
        }
    }
}
