//! JPEG and PNG files to RGB pixels. Which of the two a file is, its first bytes say: names are not to be trusted
//! (ImageNet has a PNG that is called `.JPEG`).

use std::io::Cursor;

use xxhash_rust::xxh3::xxh3_64;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::hashes::{of_pixels, of_planes};
use crate::error::Result;

/// Whether this build reads images' files.
pub(super) fn available() -> Result<()> {
    Ok(())
}

const JPEG: [u8; 3] = [0xff, 0xd8, 0xff];
const PNG: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// Longest side, as the JPEG decoder has it by default: bounds the memory that one file can ask for to 768 MiB.
pub(super) const LONGEST: u32 = 1 << 14;

/// A decoded image.
pub(super) struct Rgb {
    pub width: u32,
    pub height: u32,
    /// `[y][x][channel]`, three channels.
    pub pixels: Vec<u8>,
}

/// Decodes a file's contents. Grey images get three equal channels, CMYK becomes RGB, and transparency is dropped.
///
/// # Errors
/// What is wrong with the file: it is neither JPEG nor PNG, or damaged, truncated, or too large.
pub(super) fn decode(content: &[u8]) -> Result<Rgb, String> {
    match Format::of(content)? {
        Format::Jpeg => jpeg(content),
        Format::Png => png(content),
    }
}

/// By what an image is known again. Decoders use integers, whose results are the same on every machine.
pub(super) fn hash(image: &Rgb) -> u64 {
    of_pixels(image.width, image.height, &image.pixels)
}

/// By what older versions knew a file again that was decoded to this image: of a JPEG its bytes, of a PNG its pixels.
pub(super) fn older_hash(content: &[u8], image: &Rgb) -> u64 {
    if content.starts_with(&JPEG) {
        return xxh3_64(content).max(1);
    }
    let planes = [0, 1, 2].map(|channel| -> Vec<u8> {
        let pixels = image.pixels.iter().skip(channel);
        pixels.step_by(3).copied().collect()
    });
    let planes = planes.each_ref().map(Vec::as_slice);
    of_planes(image.width, image.height, planes)
}

/// What a file is by its first bytes.
enum Format {
    Jpeg,
    Png,
}

impl Format {
    fn of(start: &[u8]) -> Result<Self, String> {
        if start.is_empty() {
            Err("the file is empty".to_owned())
        } else if start.starts_with(&JPEG) {
            Ok(Self::Jpeg)
        } else if start.starts_with(&PNG) {
            Ok(Self::Png)
        } else {
            let start = &start[..start.len().min(4)];
            Err(format!(
                "it starts with {start:02x?}: this is neither a JPEG nor a PNG file"
            ))
        }
    }
}

/// Bytes of an image's file by which its format can be recognised.
pub(super) const START: u64 = 8;
/// Bytes of a file that say nothing of its pixels at most: previews, profiles, a film behind the picture. The header,
/// too, is among the first so many.
pub(super) const BESIDES: u64 = 64 << 20;
/// Bytes that a pixel takes at most: eight without any compression, with four channels of 16 bits.
const OF_A_PIXEL: u64 = 16;

/// Refuses a file by its first bytes.
pub(super) fn check_start(start: &[u8]) -> Result<(), String> {
    Format::of(start).map(|_| ())
}

/// Refuses a file of more bytes than an image of its header's size can have. `start` is the whole file, or the first
/// [`BESIDES`] bytes of a larger one.
pub(super) fn check_length(start: &[u8], bytes: u64) -> Result<(), String> {
    if bytes <= BESIDES {
        return Ok(());
    }
    let size = match Format::of(start)? {
        Format::Jpeg => {
            let mut decoder = JpegDecoder::new_with_options(ZCursor::new(start), jpeg_options());
            // What is wrong with a header is reported by the decoder of the whole, which a file of this length does not
            // come to.
            decoder.decode_headers().ok();
            decoder.dimensions()
        }
        Format::Png => {
            let reader = png::Decoder::new(Cursor::new(start)).read_info();
            reader.ok().map(|reader| {
                let (width, height) = reader.info().size();
                (width as usize, height as usize)
            })
        }
    };
    let Some((width, height)) = size else {
        return Err(format!(
            "it has {bytes} bytes, and no size of an image is among the first {BESIDES}"
        ));
    };
    let side = u64::from(LONGEST);
    let pixels = (width as u64).min(side) * (height as u64).min(side);
    let most = BESIDES + OF_A_PIXEL * pixels;
    match bytes <= most {
        true => Ok(()),
        false => Err(format!(
            "it has {bytes} bytes, and an image of {width} × {height} pixels has {most} at most"
        )),
    }
}

fn jpeg_options() -> DecoderOptions {
    // Not strict, the decoder would fill what is missing of a truncated file with grey.
    DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(LONGEST as usize)
        .set_max_height(LONGEST as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB)
}

fn jpeg(content: &[u8]) -> Result<Rgb, String> {
    let Some(content) = closed(content) else {
        return Err("the JPEG data are truncated (they have no end marker)".to_owned());
    };
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&content), jpeg_options());
    let pixels = decoder.decode().map_err(|error| {
        // Some of its messages end in a line break.
        let error = error.to_string();
        let words: Vec<&str> = error.split_whitespace().collect();
        format!(
            "the JPEG data are damaged or truncated ({})",
            words.join(" ")
        )
    })?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    whole(Rgb {
        width: width as u32,
        height: height as u32,
        pixels,
    })
}

/// The file up to its end marker, with 128 bits of ones in front of that. The decoder reads zeros past the marker and
/// so makes grey out of what a truncated file lacks, strict or not. No code is all ones (ISO 10918-1, C.2), and the
/// data are padded with ones anyway (F.1.2.3): a decoder that has all it needs never looks at them, one that lacks
/// something fails.
///
/// None if there is no end marker. A thumbnail in the header has one of its own, and some files go on behind theirs.
fn closed(content: &[u8]) -> Option<Vec<u8>> {
    const EOI: u8 = 0xd9;
    const SOS: u8 = 0xda;
    const PROGRESSIVE: u8 = 0xc2;
    const ONES: [u8; 2] = [0xff, 0];
    let (mut at, mut scans, mut progressive) = (2, 0, false);
    let end = loop {
        at += content.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        match *content.get(at + 1)? {
            // A byte of the data, a restart, a filling byte.
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
    // The decoder wants the marker right behind the only scan of a progressive file.
    if !progressive || scans > 1 {
        closed.extend(ONES.repeat(16));
    }
    closed.extend([0xff, EOI]);
    Some(closed)
}

fn png(content: &[u8]) -> Result<Rgb, String> {
    let damaged =
        |error: png::DecodingError| format!("the PNG data are damaged or truncated ({error})");
    let mut decoder = png::Decoder::new(Cursor::new(content));
    decoder.ignore_checksums(false);
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(damaged)?;
    let (width, height) = (reader.info().width, reader.info().height);
    if width.max(height) > LONGEST {
        return Err(format!(
            "{width} × {height} pixels are more than the {LONGEST} of a side that are read"
        ));
    }
    let size = reader.output_buffer_size().unwrap_or(0);
    let mut raw = vec![0; size];
    let frame = reader.next_frame(&mut raw).map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    raw.truncate(frame.buffer_size());
    let samples = frame.color_type.samples();
    let pixels = match samples {
        3 => raw,
        _ => raw
            .chunks_exact(samples)
            .flat_map(|pixel| match *pixel {
                [r, g, b, ..] => [r, g, b],
                [grey, ..] => [grey; 3],
                [] => [0; 3],
            })
            .collect(),
    };
    whole(Rgb {
        width,
        height,
        pixels,
    })
}

fn whole(image: Rgb) -> Result<Rgb, String> {
    let expected = image.width as usize * image.height as usize * 3;
    if expected == 0 || image.pixels.len() != expected {
        return Err(format!(
            "{} × {} pixels came out as {} bytes, not {expected}",
            image.width,
            image.height,
            image.pixels.len()
        ));
    }
    Ok(image)
}

/// For the fuzzer.
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(image) = decode(bytes) {
        assert!(image.pixels.len() == image.width as usize * image.height as usize * 3);
    }
}

#[cfg(test)]
mod tests {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

    use super::*;

    /// Checkpoints keep hashes of pixels: they have to mean the same on machines with other vector instructions.
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
                    let scalar = jpeg_options().set_use_unsafe(false);
                    let scalar =
                        JpegDecoder::new_with_options(ZCursor::new(&file), scalar).decode();
                    assert!(decode(&file).unwrap().pixels == scalar.unwrap());
                }
            }
        }
    }

    /// Written down, so that what a checkpoint keeps is known again by every version.
    #[test]
    fn a_hash_never_changes() {
        let file = include_bytes!("../../fuzz/corpus/image/colour.jpg");
        assert_eq!(hash(&decode(file).unwrap()), 0xf08c_7148_fafe_b3ea);
    }
}
