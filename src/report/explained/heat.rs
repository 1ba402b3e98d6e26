//! Images and heat maps as coloured pixels.

use crate::data::ImageShape;
use crate::report::figure::{ColourScale, Picture};

/// From little to much, each darker than the one before, so that it can be read without seeing colours: YlOrRd of
/// Brewer and Harrower, "ColorBrewer", 2003.
const HEAT: [[u8; 3]; 6] = [
    [255, 255, 204],
    [254, 217, 118],
    [253, 141, 60],
    [240, 59, 32],
    [189, 0, 38],
    [110, 0, 30],
];

/// How many colours a scale shows.
const STEPS: usize = 48;

/// The share of pixels that have the strongest colour: otherwise a single pixel decides how all others look.
const STRONGEST: f64 = 0.005;

/// The deviation of a heat map's blur, as a share of the longer side of the image.
const BLUR: f64 = 0.03;

/// The colour of a number from 0 to 1.
fn colour(share: f64) -> [u8; 3] {
    let share = if share.is_nan() { 0.0 } else { share };
    let at = share.clamp(0.0, 1.0) * (HEAT.len() - 1) as f64;
    let (low, rest) = (at.floor(), at.fract());
    let next = HEAT[(low as usize + 1).min(HEAT.len() - 1)];
    mixed(HEAT[low as usize], next, rest)
}

/// `share` of the second colour, and the rest of the first.
fn mixed(a: [u8; 3], b: [u8; 3], share: f64) -> [u8; 3] {
    std::array::from_fn(|i| {
        (f64::from(a[i]) * (1.0 - share) + f64::from(b[i]) * share).round() as u8
    })
}

/// What the colours of [`heat_map`] and [`heat_over`] mean.
pub(super) fn scale(low: &str, high: &str) -> ColourScale {
    let share = |step: usize| step as f64 / (STEPS - 1) as f64;
    ColourScale {
        colours: (0..STEPS).map(|step| colour(share(step))).collect(),
        ends: [low.to_owned(), high.to_owned()],
    }
}

/// An image `[channel][y][x]` of numbers, for which `lowest` is black and `highest` white; of other than three channels
/// their mean.
pub(super) fn image(
    caption: &str,
    shape: ImageShape,
    values: &[f32],
    [lowest, highest]: [f32; 2],
) -> Picture {
    let plane = shape.height * shape.width;
    let byte = |x: f32| (255.0 * (x - lowest) / (highest - lowest).max(f32::MIN_POSITIVE)) as u8;
    let at = |channel: usize, i: usize| values.get(channel * plane + i).copied().unwrap_or(0.0);
    let pixels = (0..plane).map(|i| match shape.channels {
        3 => [0, 1, 2].map(|channel| byte(at(channel, i))),
        channels => {
            let sum: f32 = (0..channels).map(|channel| at(channel, i)).sum();
            [byte(sum / channels.max(1) as f32); 3]
        }
    });
    Picture {
        caption: caption.to_owned(),
        width: shape.width,
        height: shape.height,
        pixels: pixels.collect(),
    }
}

/// The strength of a gradient `[channel][y][x]` at each pixel: its norm over the channels, blurred a little.
pub(super) fn strength(shape: ImageShape, gradient: &[f32]) -> Vec<f64> {
    let plane = (shape.height * shape.width).max(1);
    let mut squares = vec![0f64; plane];
    for channel in gradient.chunks(plane) {
        for (sum, &g) in squares.iter_mut().zip(channel) {
            *sum += f64::from(g).powi(2);
        }
    }
    let norms: Vec<f64> = squares.into_iter().map(f64::sqrt).collect();
    blurred(shape.height.max(1), shape.width.max(1), &norms)
}

/// Numbers `[y][x]` blurred over neighbouring pixels: the gradient of a network with few connections differs much from
/// one pixel to the next, and what it has in common over a few of them can be seen from afar.
fn blurred(height: usize, width: usize, values: &[f64]) -> Vec<f64> {
    let deviation = (BLUR * height.max(width) as f64).max(0.1);
    let reach = (3.0 * deviation).ceil() as usize;
    let weight = |distance: usize| (-0.5 * (distance as f64 / deviation).powi(2)).exp();
    // Along one axis: `count` places, `step` apart.
    let along = |values: &[f64], at: usize, place: usize, count: usize, step: usize| {
        let near = place.saturating_sub(reach)..(place + reach + 1).min(count);
        let (mut sum, mut weights) = (0.0, 0.0);
        for other in near {
            let weight = weight(other.abs_diff(place));
            sum += weight * values[at + other * step - place * step];
            weights += weight;
        }
        sum / weights
    };
    let places = || (0..height).flat_map(|y| (0..width).map(move |x| (y, x)));
    let rows: Vec<f64> = places()
        .map(|(y, x)| along(values, y * width + x, x, width, 1))
        .collect();
    places()
        .map(|(y, x)| along(&rows, y * width + x, y, height, width))
        .collect()
}

/// Shares of the largest number, but for a few outliers, which have 1.
fn shares(values: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|x| x.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let outliers = (sorted.len() as f64 * STRONGEST) as usize;
    let most = sorted.iter().rev().nth(outliers).copied().unwrap_or(0.0);
    let most = if most > 0.0 {
        most
    } else {
        sorted.last().copied().unwrap_or(0.0)
    };
    let share = |x: &f64| match most > 0.0 && x.is_finite() {
        true => (x / most).clamp(0.0, 1.0),
        false => 0.0,
    };
    values.iter().map(share).collect()
}

/// A heat map over the image it is about, which is faded and grey.
pub(super) fn heat_over(caption: &str, image: &Picture, heat: &[f64]) -> Picture {
    let pixels = image
        .pixels
        .iter()
        .zip(shares(heat))
        .map(|(&[r, g, b], share)| {
            // The brightness of ITU-R 601, in the upper part of the range: letters and edges stay visible below.
            let grey = 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
            let faded = [(150.0 + 105.0 * grey / 255.0) as u8; 3];
            // What matters little does not hide the image.
            mixed(faded, colour(share), (1.6 * share.powf(1.5)).min(0.9))
        });
    Picture {
        caption: caption.to_owned(),
        pixels: pixels.collect(),
        ..*image
    }
}

/// Numbers `[y][x]` as a heat map by themselves, whose strongest colour stands for `most`.
pub(super) fn heat_map(
    caption: &str,
    [height, width]: [usize; 2],
    values: &[f64],
    most: f64,
) -> Picture {
    let of = |x: &f64| match *x > 0.0 {
        true => colour(x / most.max(f64::MIN_POSITIVE)),
        // Nothing is not a little.
        false => [206, 211, 217],
    };
    Picture {
        caption: caption.to_owned(),
        width,
        height,
        pixels: values.iter().map(of).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_darker() {
        let light =
            |[r, g, b]: [u8; 3]| 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
        let all: Vec<f64> = (0..=100)
            .map(|i| light(colour(f64::from(i) / 100.0)))
            .collect();
        assert!(all.windows(2).all(|pair| pair[0] >= pair[1]), "{all:?}");
        assert_eq!(colour(f64::NAN), HEAT[0]);
    }

    #[test]
    fn a_blur_moves_nothing_and_keeps_what_is_even() {
        assert!(
            blurred(3, 5, &[2.0; 15])
                .iter()
                .all(|x| (x - 2.0).abs() < 1e-12)
        );
        let mut point = vec![0.0; 40 * 60];
        point[20 * 60 + 30] = 1.0;
        let told = blurred(40, 60, &point);
        assert!((told.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        let most = (0..told.len()).max_by(|&a, &b| told[a].total_cmp(&told[b]));
        assert_eq!(most, Some(20 * 60 + 30));
        assert!((told[20 * 60 + 31] - told[19 * 60 + 30]).abs() < 1e-12);
    }

    #[test]
    fn an_outlier_does_not_hide_the_others() {
        let mut values = vec![1.0; 1000];
        values[7] = 1e9;
        assert_eq!(shares(&values)[3], 1.0);
        assert_eq!(shares(&[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(shares(&[0.0, 2.0, 1.0]), [0.0, 1.0, 0.5]);
        // One pixel of many that is not zero.
        let mut one = vec![0.0; 1000];
        one[5] = 3.0;
        assert_eq!(shares(&one)[5], 1.0);
    }
}
