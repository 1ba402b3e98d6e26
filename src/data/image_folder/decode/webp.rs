//! WebP, with and without loss.

use std::io::Cursor;

use image_webp::WebPDecoder;

use super::orientation::Orientation;
use super::rgb::{Rgb, admit, colours, whole};

/// Whether a file is WebP, by its first twelve bytes.
pub(super) fn starts(start: &[u8]) -> bool {
    start.starts_with(b"RIFF") && start.get(8..12) == Some(b"WEBP")
}

/// Whether a file is shorter than its header says: bytes 4 to 8 are the length of what follows.
fn cut(content: &[u8]) -> bool {
    let length = content.get(4..8).and_then(|bytes| bytes.try_into().ok());
    length.is_none_or(|bytes| (content.len() as u64) < u64::from(u32::from_le_bytes(bytes)) + 8)
}

/// Width and height from the header, if it is complete.
pub(super) fn size(start: &[u8]) -> Option<(usize, usize)> {
    let (width, height) = WebPDecoder::new(Cursor::new(start)).ok()?.dimensions();
    Some((width as usize, height as usize))
}

/// Decodes a file's contents; transparency is dropped.
pub(super) fn decode(content: &[u8]) -> Result<(Rgb, Orientation), String> {
    let damaged = |error: image_webp::DecodingError| {
        format!("the WebP data are damaged or truncated ({error})")
    };
    // The decoder accepts most truncated files.
    if cut(content) {
        return Err("the WebP data are truncated".to_owned());
    }
    let mut decoder = WebPDecoder::new(Cursor::new(content)).map_err(damaged)?;
    if decoder.is_animated() {
        return Err("it is an animation: save one of its pictures as a file of its own".to_owned());
    }
    let (width, height) = decoder.dimensions();
    admit(width, height)?;
    let mut raw = vec![0; decoder.output_buffer_size().unwrap_or(0)];
    decoder.read_image(&mut raw).map_err(damaged)?;
    let exif = decoder.exif_metadata().map_err(damaged)?;
    let orientation = exif.map_or(Orientation::UPRIGHT, |exif| Orientation::of_exif(&exif));
    let samples = if decoder.has_alpha() { 4 } else { 3 };
    let image = whole(Rgb {
        width,
        height,
        pixels: colours(raw, samples),
    })?;
    Ok((image, orientation))
}
