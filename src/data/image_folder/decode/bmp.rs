//! BMP: with a palette, or 16, 24 or 32 bits per pixel, also run-length compressed.

use std::io::Cursor;

use image::ImageDecoder;
use image::codecs::bmp::BmpDecoder;

use super::rgb::{Rgb, admit, colours, whole};

/// The first bytes of every file.
pub(super) const START: [u8; 2] = *b"BM";

/// Width and height from the header, if it is complete.
pub(super) fn size(start: &[u8]) -> Option<(usize, usize)> {
    let (width, height) = BmpDecoder::new(Cursor::new(start)).ok()?.dimensions();
    Some((width as usize, height as usize))
}

/// Decodes a file's contents; transparency is dropped.
pub(super) fn decode(content: &[u8]) -> Result<Rgb, String> {
    let damaged =
        |error: image::ImageError| format!("the BMP data are damaged or truncated ({error})");
    let decoder = BmpDecoder::new(Cursor::new(content)).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    admit(width, height)?;
    let samples = usize::from(decoder.color_type().channel_count());
    let mut raw = vec![0; decoder.total_bytes() as usize];
    decoder.read_image(&mut raw).map_err(damaged)?;
    whole(Rgb {
        width,
        height,
        pixels: colours(raw, samples),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of 3 × 2 pixels; its lines from the bottom up.
    fn file(bits: u16, palette: &[[u8; 4]], lines: [&[u8]; 2]) -> Vec<u8> {
        let line = (3 * usize::from(bits)).div_ceil(32) * 4;
        let first = 54 + 4 * palette.len();
        let mut file = b"BM".to_vec();
        for word in [(first + 2 * line) as u32, 0, first as u32, 40, 3, 2] {
            file.extend(word.to_le_bytes());
        }
        file.extend([1, 0]);
        file.extend(bits.to_le_bytes());
        for word in [0, 2 * line as u32, 2835, 2835, palette.len() as u32, 0] {
            file.extend(word.to_le_bytes());
        }
        file.extend(palette.concat());
        for bytes in lines {
            file.extend(bytes);
            file.resize(file.len() + line - bytes.len(), 0);
        }
        file
    }

    /// Red, green, blue; white, black, grey.
    const PIXELS: [[u8; 3]; 6] = [
        [255, 0, 0],
        [0, 255, 0],
        [0, 0, 255],
        [255, 255, 255],
        [0, 0, 0],
        [128, 128, 128],
    ];
    /// Blue, green, red, nothing.
    const PALETTE: [[u8; 4]; 6] = [
        [0, 0, 255, 0],
        [0, 255, 0, 0],
        [255, 0, 0, 0],
        [255, 255, 255, 0],
        [0, 0, 0, 0],
        [128, 128, 128, 0],
    ];

    fn files() -> Vec<(u16, Vec<u8>)> {
        let line = |range: std::ops::Range<usize>, bytes: usize| -> Vec<u8> {
            PALETTE[range]
                .iter()
                .flat_map(|colour| colour[..bytes].to_vec())
                .collect()
        };
        vec![
            (4, file(4, &PALETTE, [&[0x34, 0x50], &[0x01, 0x20]])),
            (8, file(8, &PALETTE, [&[3, 4, 5], &[0, 1, 2]])),
            (24, file(24, &[], [&line(3..6, 3), &line(0..3, 3)])),
            (32, file(32, &[], [&line(3..6, 4), &line(0..3, 4)])),
        ]
    }

    #[test]
    fn every_depth_has_its_colours_and_its_way_up() {
        for (bits, file) in files() {
            let image = decode(&file).unwrap();
            assert_eq!((image.width, image.height), (3, 2));
            assert_eq!(image.pixels, PIXELS.concat(), "{bits} bits");
            assert_eq!(size(&file), Some((3, 2)));
        }
    }

    #[test]
    fn every_truncation_is_an_error() {
        for (bits, file) in files() {
            for length in 0..file.len() {
                assert!(
                    decode(&file[..length]).is_err(),
                    "{bits} bits, {length} bytes"
                );
            }
        }
    }
}
