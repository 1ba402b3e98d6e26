//! JPEG, PNG, WebP and BMP files to RGB pixels. The first bytes tell what a file is; names are not reliable (ImageNet
//! has a PNG that is called `.JPEG`).

mod bmp;
mod jpeg;
mod orientation;
mod png;
mod rgb;
mod webp;

use orientation::Orientation;
pub(in crate::data) use rgb::{LONGEST, Rgb};
use xxhash_rust::xxh3::xxh3_64;

use super::hashes::{of_pixels, of_planes};
use crate::error::Result;

/// Checks that this build can read image files.
pub(in crate::data) fn available() -> Result<()> {
    Ok(())
}

/// Decodes a file's contents, turned as Exif says. A grey image becomes three equal channels, CMYK becomes RGB, 16 bits
/// become 8, and transparency is dropped.
///
/// # Errors
/// What is wrong with the file: it has another format, or it is damaged, truncated or too large.
pub(in crate::data) fn decode(content: &[u8]) -> Result<Rgb, String> {
    let (image, orientation) = match Format::of(content)? {
        Format::Jpeg => jpeg::decode(content)?,
        Format::Png => png::decode(content)?,
        Format::WebP => webp::decode(content)?,
        Format::Bmp => (bmp::decode(content)?, Orientation::UPRIGHT),
    };
    Ok(orientation.apply(image))
}

/// The hash by which an image is recognised. Decoders use integers, whose results are the same on every machine.
pub(in crate::data) fn hash(image: &Rgb) -> u64 {
    of_pixels(image.width, image.height, &image.pixels)
}

/// The hash by which older versions recognised the file that was decoded to this image: of a JPEG its bytes, of a PNG
/// its pixels.
pub(in crate::data) fn older_hash(content: &[u8], image: &Rgb) -> u64 {
    if content.starts_with(&jpeg::START) {
        return xxh3_64(content).max(1);
    }
    let planes = [0, 1, 2].map(|channel| -> Vec<u8> {
        let pixels = image.pixels.iter().skip(channel);
        pixels.step_by(3).copied().collect()
    });
    let planes = planes.each_ref().map(Vec::as_slice);
    of_planes(image.width, image.height, planes)
}

/// The format of a file, told by its first bytes.
enum Format {
    Jpeg,
    Png,
    WebP,
    Bmp,
}

impl Format {
    fn of(start: &[u8]) -> Result<Self, String> {
        if start.is_empty() {
            Err("the file is empty".to_owned())
        } else if start.starts_with(&jpeg::START) {
            Ok(Self::Jpeg)
        } else if start.starts_with(&png::START) {
            Ok(Self::Png)
        } else if webp::starts(start) {
            Ok(Self::WebP)
        } else if start.starts_with(&bmp::START) {
            Ok(Self::Bmp)
        } else {
            let start = &start[..start.len().min(4)];
            Err(format!(
                "it starts with {start:02x?}: this is no JPEG, PNG, WebP or BMP file"
            ))
        }
    }
}

/// Number of bytes of an image file by which its format can be recognised.
pub(in crate::data) const START: u64 = 12;
/// Maximum number of bytes of a file that say nothing about its pixels: previews, profiles, a film after the picture.
/// The header is also within this many first bytes.
pub(in crate::data) const BESIDES: u64 = 64 << 20;
/// Maximum number of bytes per pixel; without any compression, four channels of 16 bits take eight.
const OF_A_PIXEL: u64 = 16;

/// Refuses a file by its first bytes.
pub(in crate::data) fn check_start(start: &[u8]) -> Result<(), String> {
    Format::of(start).map(|_| ())
}

/// Refuses a file with more bytes than an image of its header's size can have. `start` is the whole file, or the first
/// [`BESIDES`] bytes of a larger one.
pub(in crate::data) fn check_length(start: &[u8], bytes: u64) -> Result<(), String> {
    if bytes <= BESIDES {
        return Ok(());
    }
    let size = match Format::of(start)? {
        Format::Jpeg => jpeg::size(start),
        Format::Png => png::size(start),
        Format::WebP => webp::size(start),
        Format::Bmp => bmp::size(start),
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

/// For the fuzzer.
pub(crate) fn fuzz(bytes: &[u8]) {
    if let Ok(image) = decode(bytes) {
        assert!(image.pixels.len() == image.width as usize * image.height as usize * 3);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fixed values, so that every version recognises what a checkpoint keeps.
    #[test]
    fn a_hash_never_changes() {
        let file = include_bytes!("../../../fuzz/corpus/image/colour.jpg");
        assert_eq!(hash(&decode(file).unwrap()), 0xf08c_7148_fafe_b3ea);
    }

    fn sample(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/image/");
        std::fs::read(format!("{folder}{name}")).unwrap()
    }

    /// The picture in the samples, which Pillow wrote: 32 × 24 pixels.
    fn pixel(x: usize, y: usize) -> [u8; 3] {
        [8 * x as u8, 10 * y as u8, 128]
    }

    #[test]
    fn webp_and_bmp_hold_their_pictures() {
        let luma = |x, y| {
            let [r, g, b] = pixel(x, y).map(u32::from);
            [((r * 19_595 + g * 38_470 + b * 7_471 + 0x8000) >> 16) as u8; 3]
        };
        type Picture = fn(usize, usize) -> [u8; 3];
        for (name, most, picture) in [
            ("lossless.webp", 0, pixel as Picture),
            ("lossy.webp", 10, pixel),
            ("alpha.webp", 10, pixel),
            ("rgb.bmp", 0, pixel),
            ("grey.bmp", 0, luma),
            // 216 colours, dithered.
            ("palette.bmp", 64, pixel),
        ] {
            let image = decode(&sample(name)).unwrap();
            assert_eq!((image.width, image.height), (32, 24), "{name}");
            for (i, found) in image.pixels.chunks_exact(3).enumerate() {
                let expected = picture(i % 32, i / 32);
                let far = (found.iter().zip(expected))
                    .map(|(a, b)| a.abs_diff(b))
                    .max();
                assert!(
                    far <= Some(most),
                    "{name}: pixel {i} is {found:?}, not {expected:?}"
                );
            }
        }
        let bits = decode(&sample("bits.bmp")).unwrap().pixels;
        assert!(bits.iter().all(|&byte| byte == 0 || byte == 255));
        assert!(bits.contains(&0) && bits.contains(&255));
    }

    #[test]
    fn pictures_are_turned_as_exif_says() {
        for (name, most) in [("turned.jpg", 16), ("turned.png", 0), ("turned.webp", 0)] {
            let image = decode(&sample(name)).unwrap();
            assert_eq!((image.width, image.height), (24, 32), "{name}");
            for (i, found) in image.pixels.chunks_exact(3).enumerate() {
                let expected = pixel(i / 24, 23 - i % 24);
                let far = (found.iter().zip(expected))
                    .map(|(a, b)| a.abs_diff(b))
                    .max();
                assert!(
                    far <= Some(most),
                    "{name}: pixel {i} is {found:?}, not {expected:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_moves_is_an_error() {
        for name in [
            "lossless.webp",
            "lossy.webp",
            "alpha.webp",
            "rgb.bmp",
            "palette.bmp",
            "bits.bmp",
        ] {
            let file = sample(name);
            for length in 0..file.len() {
                assert!(decode(&file[..length]).is_err(), "{name}, {length} bytes");
            }
        }
        let film = decode(&sample("film.webp")).err().unwrap();
        assert!(film.contains("animation"), "{film}");
    }
}
