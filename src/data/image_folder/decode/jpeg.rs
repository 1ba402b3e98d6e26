//! JPEG.

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::orientation::Orientation;
use super::rgb::{LONGEST, Rgb, whole};

/// The first bytes of every file.
pub(super) const START: [u8; 3] = [0xff, 0xd8, 0xff];

fn options() -> DecoderOptions {
    // If it were not strict, the decoder would fill the missing part of a truncated file with grey.
    DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(LONGEST as usize)
        .set_max_height(LONGEST as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB)
}

/// Width and height from the header, if it is complete.
pub(super) fn size(start: &[u8]) -> Option<(usize, usize)> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(start), options());
    // Faults in a header are reported by the decoder of the whole file, but a file of this length never gets there.
    decoder.decode_headers().ok();
    decoder.dimensions()
}

/// Decodes a file's contents.
pub(super) fn decode(content: &[u8]) -> Result<(Rgb, Orientation), String> {
    let Some(content) = closed(content) else {
        return Err("the JPEG data are truncated (they have no end marker)".to_owned());
    };
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&content), options());
    let pixels = decoder.decode().map_err(|error| {
        // Some of its messages end with a line break.
        let error = error.to_string();
        let words: Vec<&str> = error.split_whitespace().collect();
        format!(
            "the JPEG data are damaged or truncated ({})",
            words.join(" ")
        )
    })?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let image = whole(Rgb {
        width: width as u32,
        height: height as u32,
        pixels,
    })?;
    let orientation = decoder
        .exif()
        .map_or(Orientation::UPRIGHT, |exif| Orientation::of_exif(exif));
    Ok((image, orientation))
}

/// The file up to its end marker, with 128 one bits in front of it. The decoder reads zeros past the marker, and so
/// turns the missing part of a truncated file into grey, strict or not. No code is all ones (ISO 10918-1, C.2), and the
/// data are padded with ones anyway (F.1.2.3): a decoder that has all its data never looks at them, one that lacks data
/// fails.
///
/// `None` if there is no end marker. A thumbnail in the header has its own, and some files continue after theirs.
fn closed(content: &[u8]) -> Option<Vec<u8>> {
    const EOI: u8 = 0xd9;
    const SOS: u8 = 0xda;
    const PROGRESSIVE: u8 = 0xc2;
    const ONES: [u8; 2] = [0xff, 0];
    let (mut at, mut scans, mut progressive) = (2, 0, false);
    let end = loop {
        at += content.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        match *content.get(at + 1)? {
            // A byte of the data, a restart, or a fill byte.
            0 | 0xd0..=0xd7 => at += 2,
            0xff => at += 1,
            EOI if scans > 0 => break at,
            marker => {
                scans += usize::from(marker == SOS);
                progressive |= marker == PROGRESSIVE;
                let length = content.get(at + 2..at + 4)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    };
    let mut closed = Vec::with_capacity(end + 34);
    closed.extend(&content[..end]);
    // The decoder wants the marker right after the only scan of a progressive file.
    if !progressive || scans > 1 {
        closed.extend(ONES.repeat(16));
    }
    closed.extend([0xff, EOI]);
    Some(closed)
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use super::*;

    /// Checkpoints keep hashes of pixels: these have to be the same on machines with other vector instructions.
    #[test]
    fn vector_instructions_change_no_pixel() {
        let random = |at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8;
        for sampling in [
            SamplingFactor::F_1_1,
            SamplingFactor::F_2_1,
            SamplingFactor::F_2_2,
        ] {
            for quality in [10, 50, 95] {
                let rough: Vec<u8> = (0..61 * 47 * 3).map(random).collect();
                let smooth: Vec<u8> = (0..61 * 47 * 3).map(|at: u32| (at / 40) as u8).collect();
                for pixels in [rough, smooth] {
                    let mut file = Vec::new();
                    let mut encoder = Encoder::new(&mut file, quality);
                    encoder.set_sampling_factor(sampling);
                    encoder.encode(&pixels, 61, 47, ColorType::Rgb).unwrap();
                    let scalar = options().set_use_unsafe(false);
                    let scalar =
                        JpegDecoder::new_with_options(ZCursor::new(&file), scalar).decode();
                    assert!(decode(&file).unwrap().0.pixels == scalar.unwrap());
                }
            }
        }
    }
}
