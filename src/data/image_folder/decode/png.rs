//! PNG.

use std::io::Cursor;

use super::orientation::Orientation;
use super::rgb::{Rgb, admit, colours, whole};

/// The first bytes of every file.
pub(super) const START: [u8; 8] = *b"\x89PNG\r\n\x1a\n";

/// Width and height from the header, if it is complete.
pub(super) fn size(start: &[u8]) -> Option<(usize, usize)> {
    let reader = ::png::Decoder::new(Cursor::new(start)).read_info().ok()?;
    let (width, height) = reader.info().size();
    Some((width as usize, height as usize))
}

/// Decodes a file's contents: 16 bits become 8, transparency is dropped.
pub(super) fn decode(content: &[u8]) -> Result<(Rgb, Orientation), String> {
    let damaged =
        |error: ::png::DecodingError| format!("the PNG data are damaged or truncated ({error})");
    let mut decoder = ::png::Decoder::new(Cursor::new(content));
    decoder.ignore_checksums(false);
    decoder.set_transformations(::png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (reader.info().width, reader.info().height);
    admit(width, height)?;
    let size = reader.output_buffer_size().unwrap_or(0);
    let mut raw = vec![0; size];
    let frame = reader.next_frame(&mut raw).map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    raw.truncate(frame.buffer_size());
    let exif = reader.info().exif_metadata.as_deref();
    let orientation = exif.map_or(Orientation::UPRIGHT, Orientation::of_exif);
    let image = whole(Rgb {
        width,
        height,
        pixels: colours(raw, frame.color_type.samples()),
    })?;
    Ok((image, orientation))
}
