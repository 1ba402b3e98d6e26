//! RandAugment's operations on the pixels of an image, `[channel][y][x]`. Rounding is torchvision's: down.

use crate::data::ImageShape;

/// Moves pixels: each gets the value of the nearest pixel to the place that `from` returns for it, and black from
/// outside.
pub(in crate::data) fn warp(
    pixels: &mut [u8],
    shape: ImageShape,
    from: impl Fn(f32, f32) -> (f32, f32),
) {
    let ImageShape { height, width, .. } = shape;
    let nearest = |place: f32, length: usize| {
        let place = place.round_ties_even();
        (place >= 0.0 && place < length as f32).then_some(place as usize)
    };
    let sources: Vec<Option<usize>> = (0..height * width)
        .map(|at| {
            let (x, y) = from((at % width) as f32, (at / width) as f32);
            Some(nearest(y, height)? * width + nearest(x, width)?)
        })
        .collect();
    let mut before = vec![0; height * width];
    for plane in pixels.chunks_exact_mut(height * width) {
        before.copy_from_slice(plane);
        for (pixel, source) in plane.iter_mut().zip(&sources) {
            *pixel = source.map_or(0, |source| before[source]);
        }
    }
}

/// Goes from `other`'s value in each place towards the image: 0 is the other, 1 the image, more goes beyond it.
pub(in crate::data) fn towards_real(pixels: &mut [u8], factor: f32, other: impl Fn(usize) -> f32) {
    for (at, pixel) in pixels.iter_mut().enumerate() {
        let value = factor * f32::from(*pixel) + (1.0 - factor) * other(at);
        *pixel = value.clamp(0.0, 255.0) as u8;
    }
}

/// As [`towards_real`], from another image.
pub(in crate::data) fn towards(pixels: &mut [u8], factor: f32, other: impl Fn(usize) -> u8) {
    towards_real(pixels, factor, |at| f32::from(other(at)));
}

/// The brightness of each pixel of a colour image; `None` for others.
pub(in crate::data) fn grey(pixels: &[u8], shape: ImageShape) -> Option<Vec<u8>> {
    let plane = shape.height * shape.width;
    (shape.channels == 3).then(|| {
        let of = |at: usize, channel: usize| f32::from(pixels[channel * plane + at]);
        let grey = |at| 0.2989 * of(at, 0) + 0.587 * of(at, 1) + 0.114 * of(at, 2);
        (0..plane).map(|at| grey(at) as u8).collect()
    })
}

/// The mean brightness.
pub(in crate::data) fn mean(pixels: &[u8], shape: ImageShape) -> f32 {
    let of = |pixels: &[u8]| {
        let sum: u64 = pixels.iter().map(|&pixel| u64::from(pixel)).sum();
        sum as f32 / pixels.len().max(1) as f32
    };
    grey(pixels, shape).map_or_else(|| of(pixels), |grey| of(&grey))
}

/// Each pixel as the mean of its neighbours and, five times, itself; pixels at the edge are unchanged.
pub(in crate::data) fn smooth(pixels: &[u8], shape: ImageShape) -> Vec<u8> {
    let ImageShape { height, width, .. } = shape;
    let mut smooth = pixels.to_vec();
    for (plane, smooth) in
        (pixels.chunks_exact(height * width)).zip(smooth.chunks_exact_mut(height * width))
    {
        for y in 1..height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let rows = (y - 1..=y + 1).map(|y| &plane[y * width + x - 1..=y * width + x + 1]);
                let sum: u32 = rows.flatten().map(|&pixel| u32::from(pixel)).sum();
                let sum = sum + 4 * u32::from(plane[y * width + x]);
                smooth[y * width + x] = (sum as f32 / 13.0).round_ties_even() as u8;
            }
        }
    }
    smooth
}

/// Stretches each channel's values over the whole range.
pub(in crate::data) fn stretch(pixels: &mut [u8], shape: ImageShape) {
    for plane in pixels.chunks_exact_mut(shape.height * shape.width) {
        let least = plane.iter().copied().min().unwrap_or(0);
        let most = plane.iter().copied().max().unwrap_or(0);
        if least == most {
            continue;
        }
        let scale = 255.0 / f32::from(most - least);
        for pixel in plane {
            *pixel = (f32::from(*pixel - least) * scale).clamp(0.0, 255.0) as u8;
        }
    }
}

/// Makes each channel's values occur equally often, as far as possible.
pub(in crate::data) fn equalize(pixels: &mut [u8], shape: ImageShape) {
    for plane in pixels.chunks_exact_mut(shape.height * shape.width) {
        let mut counts = [0usize; 256];
        plane
            .iter()
            .for_each(|&pixel| counts[usize::from(pixel)] += 1);
        let last = counts.iter().rev().find(|&&count| count > 0).copied();
        let step = (plane.len() - last.unwrap_or(0)) / 255;
        if step == 0 {
            continue;
        }
        let mut table = [0u8; 256];
        let mut below = 0;
        for (entry, count) in table.iter_mut().zip(counts) {
            *entry = ((below + step / 2) / step).min(255) as u8;
            below += count;
        }
        plane
            .iter_mut()
            .for_each(|pixel| *pixel = table[usize::from(*pixel)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_equalized() {
        let shape = ImageShape {
            channels: 1,
            height: 32,
            width: 32,
        };
        // Dark: half of all values never come.
        let mut pixels: Vec<u8> = (0..1024).map(|i| (i / 8) as u8).collect();
        equalize(&mut pixels, shape);
        assert_eq!((pixels[0], pixels[1023]), (0, 255));
        assert!(pixels.windows(2).all(|pair| pair[0] <= pair[1]));
        let bright = pixels.iter().filter(|v| **v >= 128).count();
        // Steps are whole numbers: otherwise it would be a half.
        assert_eq!(bright, 640);
    }

    #[test]
    fn a_point_is_smoothed() {
        let shape = ImageShape {
            channels: 1,
            height: 3,
            width: 3,
        };
        let mut pixels = vec![0; 9];
        pixels[4] = 130;
        assert_eq!(smooth(&pixels, shape)[4], 50);
        pixels[0] = 13;
        assert_eq!(smooth(&pixels, shape), [13, 0, 0, 0, 51, 0, 0, 0, 0]);
    }
}
