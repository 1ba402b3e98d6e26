//! NumPy's `.npy` and `.npz`: version 1.0 of the format of arrays, in a ZIP archive of stored entries as PKWARE's
//! APPNOTE.TXT says (4.3.7, 4.3.12, 4.3.16).

use super::arrays::{Array, Numbers};

/// The date of every entry, 1980-01-01: the oldest that ZIP has, so that equal networks make equal files.
const DATE: u16 = 0x21;
/// Bytes of an archive from which another form of ZIP would be needed.
const MOST: u64 = u32::MAX as u64;

/// The file of one array.
fn npy(array: &Array) -> Vec<u8> {
    let kind = match &array.numbers {
        Numbers::F32(_) => "<f4".to_owned(),
        Numbers::F64(_) => "<f8".to_owned(),
        Numbers::I32(_) => "<i4".to_owned(),
        Numbers::I64(_) => "<i8".to_owned(),
        Numbers::Text(text) => format!("|S{}", text.len()),
    };
    let sizes: String = array.shape.iter().map(|size| format!("{size}, ")).collect();
    let shape = match array.shape.len() {
        1 => sizes.trim_end().to_owned(),
        _ => sizes.trim_end_matches(", ").to_owned(),
    };
    let mut header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
    // The numbers begin at a multiple of 64 bytes.
    let before = 10 + header.len() + 1;
    header.extend(std::iter::repeat_n(
        ' ',
        before.next_multiple_of(64) - before,
    ));
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(array.bytes());
    bytes
}

/// An archive of these arrays.
///
/// # Errors
/// It would have 4 GiB or more: a reason.
pub(super) fn npz(arrays: &[Array]) -> Result<Vec<u8>, String> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for array in arrays {
        let content = npy(array);
        let name = format!("{}.npy", array.name);
        let too_large = || {
            format!(
                "its archive of arrays would have 4 GiB or more at {}; export it as safetensors",
                array.name
            )
        };
        if archive.len() as u64 + content.len() as u64 + (1 << 20) > MOST {
            return Err(too_large());
        }
        let at = archive.len() as u32;
        // Version 2.0, no flags, stored, time 0.
        let mut about = Vec::new();
        about.extend(
            [20u16, 0, 0, 0, DATE]
                .iter()
                .flat_map(|word| word.to_le_bytes()),
        );
        about.extend(crc32fast::hash(&content).to_le_bytes());
        about.extend(
            [content.len() as u32; 2]
                .iter()
                .flat_map(|word| word.to_le_bytes()),
        );
        about.extend((name.len() as u16).to_le_bytes());
        about.extend(0u16.to_le_bytes());
        archive.extend(b"PK\x03\x04");
        archive.extend(&about);
        archive.extend(name.as_bytes());
        archive.extend(&content);
        directory.extend(b"PK\x01\x02");
        directory.extend(20u16.to_le_bytes());
        directory.extend(&about);
        // No comment, the first disk, no attributes.
        directory.extend([0u8; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, count) = (archive.len() as u32, arrays.len() as u16);
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06");
    archive.extend([0u8; 4]);
    archive.extend([count; 2].iter().flat_map(|word| word.to_le_bytes()));
    archive.extend((directory.len() as u32).to_le_bytes());
    archive.extend(at.to_le_bytes());
    archive.extend([0u8; 2]);
    Ok(archive)
}
