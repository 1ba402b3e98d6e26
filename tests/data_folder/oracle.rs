//! Resizing and torchvision's crops again, in f64 and from their definitions.

use rootlet::engine::random::pcg4d;

use crate::files::Picture;

/// `[y][x]` of three channels.
pub struct Exact {
    pub width: usize,
    pub pixels: Vec<[f64; 3]>,
}

/// Weights of the source pixels for each of `to` pixels: a triangle as wide as a pixel of the smaller of the two
/// images, cut off at the edges, which is what Pillow calls bilinear.
fn weights(from: usize, to: usize) -> Vec<Vec<(usize, f64)>> {
    let scale = from as f64 / to as f64;
    let radius = scale.max(1.0);
    (0..to)
        .map(|i| {
            let centre = (i as f64 + 0.5) * scale;
            let weight = |j: usize| (1.0 - ((j as f64 + 0.5 - centre) / radius).abs()).max(0.0);
            let sum: f64 = (0..from).map(weight).sum();
            (0..from)
                .map(|j| (j, weight(j) / sum))
                .filter(|(_, w)| *w > 0.0)
                .collect()
        })
        .collect()
}

/// The region (left, top, width, height) of a picture, resized.
pub fn resize(
    picture: &Picture,
    (left, top, w, h): (usize, usize, usize, usize),
    width: usize,
    height: usize,
) -> Exact {
    let (columns, rows) = (weights(w, width), weights(h, height));
    let mut pixels = Vec::new();
    for row in &rows {
        for column in &columns {
            let mut sum = [0.0; 3];
            for &(y, wy) in row {
                for &(x, wx) in column {
                    let pixel = picture.pixels[(top + y) * picture.width + left + x];
                    for (sum, value) in sum.iter_mut().zip(pixel) {
                        *sum += wy * wx * f64::from(value);
                    }
                }
            }
            pixels.push(sum);
        }
    }
    Exact { width, pixels }
}

impl Exact {
    /// How far `planes` are from the `size` × `size` window at (left, top), in steps of a byte.
    pub fn distance(
        &self,
        planes: &[u8],
        (left, top): (usize, usize),
        size: usize,
        flip: bool,
    ) -> f64 {
        let mut worst = 0f64;
        for (at, &found) in planes.iter().enumerate() {
            let (channel, y, x) = (at / (size * size), at / size % size, at % size);
            let x = if flip { size - 1 - x } else { x };
            let exact = self.pixels[(top + y) * self.width + left + x][channel];
            worst = worst.max((f64::from(found) - exact).abs());
        }
        worst
    }
}

/// The words of an image's draw.
pub fn words(seed: u32, epoch: u32, draw: u32, image: u32) -> [u32; 4] {
    pcg4d([seed, epoch, (6 << 24) | draw, image])
}

pub fn below(word: u32, n: usize) -> usize {
    ((u64::from(word) * n as u64) >> 32) as usize
}

/// The region that torchvision's `RandomResizedCrop` takes if it draws the same numbers.
pub fn resized_crop(
    seed: u32,
    epoch: u32,
    image: u32,
    width: usize,
    height: usize,
) -> (usize, usize, usize, usize) {
    let unit = |word: u32| f64::from(word >> 8) / f64::from(1 << 24);
    for attempt in 0..10 {
        let four = words(seed, epoch, 1 + attempt, image);
        let area = (width * height) as f64 * (0.08 + 0.92 * unit(four[0]));
        let (low, high) = ((3f64 / 4.0).ln(), (4f64 / 3.0).ln());
        let ratio = (low + (high - low) * unit(four[1])).exp();
        let (w, h) = ((area * ratio).sqrt().round(), (area / ratio).sqrt().round());
        let (w, h) = (w as usize, h as usize);
        if w > 0 && w <= width && h > 0 && h <= height {
            return (
                below(four[3], width - w + 1),
                below(four[2], height - h + 1),
                w,
                h,
            );
        }
    }
    let ratio = width as f64 / height as f64;
    let (w, h) = if ratio < 3.0 / 4.0 {
        (width, (width as f64 / (3.0 / 4.0)).round() as usize)
    } else if ratio > 4.0 / 3.0 {
        ((height as f64 * (4.0 / 3.0)).round() as usize, height)
    } else {
        (width, height)
    };
    ((width - w) / 2, (height - h) / 2, w, h)
}
