//! The TFRecord framing: length, its checksum, the bytes, their checksum; all little endian.

/// CRC-32C (Castagnoli), rotated and shifted, as TFRecords store it: a plain checksum would be weak for data that
/// contains checksums (tensorflow/core/lib/hash/crc32c.h).
pub(super) fn masked_crc(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

/// One record.
pub(super) fn frame(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let mut record = Vec::with_capacity(bytes.len() + 16);
    record.extend(length);
    record.extend(masked_crc(&length).to_le_bytes());
    record.extend(bytes);
    record.extend(masked_crc(bytes).to_le_bytes());
    record
}
