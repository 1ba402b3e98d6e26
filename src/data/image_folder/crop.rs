//! Which part of a folder's image the network sees, and how it gets its size.

use fast_image_resize::images::{TypedCroppedImage, TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ImageView, ResizeAlg, ResizeOptions, Resizer};

use super::decode::{LONGEST, Rgb};
use crate::data::augmentation::{Crop, Draws, Part, Place};
use crate::engine::random::{below, unit};

/// A resized crop's share of the image's area, and its aspect ratio.
const AREA: (f64, f64) = (0.08, 1.0);
const RATIO: (f64, f64) = (3.0 / 4.0, 4.0 / 3.0);
/// Number of attempts at a resized crop that fits into the image.
const ATTEMPTS: u32 = 10;

/// A rectangle of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Region {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

/// Cuts parts out of images; reuses its memory from one image to the next.
pub(in crate::data) struct Cutter {
    /// Length of the shorter side before the centre or a plain crop is cut out.
    resize: u32,
    /// Sides of the part.
    size: u32,
    resizer: Resizer,
    options: ResizeOptions,
}

impl Cutter {
    /// For parts of `size` × `size` pixels.
    pub fn new(size: u32, resize: u32) -> Self {
        Self {
            resize,
            size,
            resizer: Resizer::new(),
            // A triangle filter that widens as the image shrinks: Pillow's, and with it torchvision's, "bilinear".
            options: ResizeOptions::new()
                .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear))
                .use_alpha(false),
        }
    }

    /// Writes the requested part of `image` to `output`, `[channel][y][x]`.
    ///
    /// # Errors
    /// Why the image cannot be resized: it is far too long for its width.
    pub fn cut(&mut self, image: &Rgb, part: Part, output: &mut [u8]) -> Result<(), String> {
        let size = self.size;
        if let Part::Random {
            crop: Crop::Resized,
            flip,
            draws,
            image: number,
        } = part
        {
            let region = resized_region(image.width, image.height, draws, number);
            let place = draws.place(number, 1, 1, flip);
            planar(
                &self.resized(image, region, size, size)?,
                place,
                size,
                output,
            );
            return Ok(());
        }
        let (width, height) = scaled(image.width, image.height, self.resize)?;
        let place = match part {
            Part::Middle => Place {
                top: (height - size) / 2,
                left: (width - size) / 2,
                flip: false,
            },
            Part::Random {
                flip,
                draws,
                image: number,
                ..
            } => draws.place(number, height - size + 1, width - size + 1, flip),
        };
        let whole = Region {
            left: 0,
            top: 0,
            width: image.width,
            height: image.height,
        };
        planar(
            &self.resized(image, whole, width, height)?,
            place,
            size,
            output,
        );
        Ok(())
    }

    /// A region of an image, `width` × `height` pixels large.
    fn resized(
        &mut self,
        image: &Rgb,
        region: Region,
        width: u32,
        height: u32,
    ) -> Result<TypedImage<'static, U8x3>, String> {
        let failed = |error: &dyn std::fmt::Display| {
            format!("its part {region:?} cannot be resized to {width} × {height}: {error}")
        };
        let source = TypedImageRef::<U8x3>::from_buffer(image.width, image.height, &image.pixels)
            .map_err(|error| failed(&error))?;
        let Region {
            left,
            top,
            width: w,
            height: h,
        } = region;
        // A view rather than the resizer's crop box: pixels beside the part must not bleed into it.
        let source = TypedCroppedImage::from_ref(&source, left, top, w, h)
            .map_err(|error| failed(&error))?;
        let mut output = TypedImage::new(width, height);
        // If the size is right already, pixels are copied unchanged.
        self.resizer
            .resize_typed(&source, &mut output, &self.options)
            .map_err(|error| failed(&error))?;
        Ok(output)
    }
}

/// Size of an image whose shorter side is resized to `shorter`; the longer side is rounded down, as in torchvision.
fn scaled(width: u32, height: u32, shorter: u32) -> Result<(u32, u32), String> {
    let (low, high) = (width.min(height), width.max(height));
    let longer = u64::from(high) * u64::from(shorter) / u64::from(low);
    if longer > u64::from(LONGEST) {
        return Err(format!(
            "{width} × {height} pixels cannot be resized to a shorter side of {shorter}: the longer one would have \
             {longer}, more than {LONGEST}"
        ));
    }
    let longer = longer as u32;
    Ok(match width < height {
        true => (shorter, longer),
        false => (longer, shorter),
    })
}

/// The part that a resized crop takes: torchvision's `RandomResizedCrop.get_params` with random numbers of our own.
fn resized_region(width: u32, height: u32, draws: Draws, image: u32) -> Region {
    let between = |word, (low, high): (f64, f64)| low + (high - low) * f64::from(unit(word));
    let area = f64::from(width) * f64::from(height);
    for attempt in 0..ATTEMPTS {
        let words = draws.attempt(image, attempt);
        let part = area * between(words[0], AREA);
        let ratio = between(words[1], (RATIO.0.ln(), RATIO.1.ln())).exp();
        let w = (part * ratio).sqrt().round() as u32;
        let h = (part / ratio).sqrt().round() as u32;
        if (1..=width).contains(&w) && (1..=height).contains(&h) {
            return Region {
                left: below(words[3], width - w + 1),
                top: below(words[2], height - h + 1),
                width: w,
                height: h,
            };
        }
    }
    // The largest centred part of an allowed aspect ratio.
    let (wide, high) = (f64::from(width), f64::from(height));
    let w = ((high * RATIO.1).round() as u32).clamp(1, width);
    let h = ((wide / RATIO.0).round() as u32).clamp(1, height);
    Region {
        left: (width - w) / 2,
        top: (height - h) / 2,
        width: w,
        height: h,
    }
}

/// Writes the `size` × `size` pixels at `place` to `output`, the colour planes one after the other.
fn planar(image: &TypedImage<'_, U8x3>, place: Place, size: u32, output: &mut [u8]) {
    let side = size as usize;
    let (red, rest) = output.split_at_mut(side * side);
    let (green, blue) = rest.split_at_mut(side * side);
    let rows = image.pixels().chunks_exact(image.width() as usize);
    let planes = red
        .chunks_exact_mut(side)
        .zip(green.chunks_exact_mut(side))
        .zip(blue.chunks_exact_mut(side));
    for (row, ((red, green), blue)) in rows.skip(place.top as usize).zip(planes) {
        for (x, pixel) in row[place.left as usize..][..side].iter().enumerate() {
            let x = if place.flip { side - 1 - x } else { x };
            [red[x], green[x], blue[x]] = pixel.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Area and aspect ratio stay in their ranges, and the draws cover all of the ranges and of the image.
    #[test]
    fn resized_crops_are_spread_as_they_should_be() {
        let (width, height) = (400, 300);
        let draws = Draws { seed: 4, epoch: 1 };
        let images = 20_000;
        let (mut areas, mut ratios) = ([0; 10], [0; 10]);
        let (mut centre, mut flips) = ((0.0, 0.0), 0);
        for image in 0..images {
            let Region {
                left,
                top,
                width: w,
                height: h,
            } = resized_region(width, height, draws, image);
            assert!(left + w <= width && top + h <= height);
            let area = f64::from(w * h) / f64::from(width * height);
            let ratio = (f64::from(w) / f64::from(h)).ln();
            let ratio = (ratio - RATIO.0.ln()) / (RATIO.1.ln() - RATIO.0.ln());
            // Rounding to whole pixels can lead slightly outside.
            assert!((0.078..=1.0).contains(&area) && (-0.02..1.02).contains(&ratio));
            areas[((area - 0.08).max(0.0) / 0.92 * 9.999) as usize] += 1;
            ratios[(ratio.clamp(0.0, 0.9999) * 10.0) as usize] += 1;
            centre.0 += f64::from(2 * left + w) / f64::from(2 * width * images);
            centre.1 += f64::from(2 * top + h) / f64::from(2 * height * images);
            flips += u32::from(draws.place(image, 1, 1, true).flip);
        }
        // Areas below 9/16 always fit and are equally likely; the largest fit only at the image's own ratio.
        let mean = areas[..5].iter().sum::<u32>() / 5;
        assert!(
            areas[..5].iter().all(|n| n.abs_diff(mean) < 200),
            "{areas:?}"
        );
        assert!((100..mean / 4).contains(&areas[9]), "{areas:?}");
        assert!(ratios.iter().all(|n| (900..3200).contains(n)), "{ratios:?}");
        assert!((centre.0 - 0.5).abs() < 0.005 && (centre.1 - 0.5).abs() < 0.005);
        assert!((9_700..10_300).contains(&flips), "{flips}");
    }

    /// Too wide or too high for any attempt: the centre, at the nearest ratio.
    #[test]
    fn long_images_give_their_middle() {
        let draws = Draws::default();
        let region = |left, top, width, height| Region {
            left,
            top,
            width,
            height,
        };
        assert_eq!(resized_region(10_000, 3, draws, 0), region(4998, 0, 4, 3));
        assert_eq!(resized_region(3, 10_000, draws, 0), region(0, 4998, 3, 4));
        assert_eq!(resized_region(1, 1, draws, 0), region(0, 0, 1, 1));
    }

    /// A seed gives the same images on machines with other vector instructions.
    #[test]
    #[expect(unsafe_code, reason = "the resizer's own switch")]
    fn vector_instructions_change_no_bit() {
        let (width, height) = (61, 47);
        let pixels = (0..width * height * 3)
            .map(|i| (i * 131 % 251) as u8)
            .collect();
        let image = Rgb {
            width,
            height,
            pixels,
        };
        let cut = |scalar: bool, part| {
            let mut cutter = Cutter::new(24, 32);
            if scalar {
                // SAFETY: an empty set of extensions is available everywhere.
                unsafe {
                    cutter
                        .resizer
                        .set_cpu_extensions(fast_image_resize::CpuExtensions::None)
                };
            }
            let mut output = vec![0; 3 * 24 * 24];
            cutter.cut(&image, part, &mut output).unwrap();
            output
        };
        for part in [
            Part::Middle,
            Part::Random {
                crop: Crop::Resized,
                flip: true,
                draws: Draws::default(),
                image: 3,
            },
        ] {
            assert!(cut(true, part) == cut(false, part), "{part:?}");
        }
    }
}
