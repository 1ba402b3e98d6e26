//! RandAugment: a few random operations on an image, all with the same strength.
//!
//! Which ones is a function of the seed, the epoch and the image's number, like other augmentation.

use super::crop_and_flip::Draws;
use super::operation as image;
use crate::bounds::check;
use crate::data::ImageShape;
use crate::engine::random::{Stream, below, random};
use crate::error::Result;

/// The largest strength.
const STRONGEST: u32 = 30;
/// More of them leave nothing of an image.
const MOST: u32 = 16;

/// How many operations vary each training image, and how strongly (Cubuk et al., "RandAugment", arXiv 1909.13719); by
/// default none. Operations and strengths are torchvision's `RandAugment`: one of the 14 does nothing; areas from
/// outside the image are black.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    count: u32,
    strength: u32,
}

/// An operation, with what it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operation {
    Identity,
    ShearX(f32),
    ShearY(f32),
    TranslateX(f32),
    TranslateY(f32),
    Rotate(f32),
    Brightness(f32),
    Color(f32),
    Contrast(f32),
    Sharpness(f32),
    Posterize(u32),
    Solarize(f32),
    AutoContrast,
    Equalize,
}

/// Number of operations.
const OPERATIONS: u32 = 14;

impl Operations {
    /// `count` operations on each image, with a strength from 0 to 30.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value): more than 16 operations, or a strength above 30.
    pub fn new(count: u32, strength: u32) -> Result<Self> {
        check(
            count <= MOST && strength <= STRONGEST,
            "rand_augment",
            "must be a number of operations, at most 16, and their strength, 0 to 30, as in 2,9",
            format!("{count},{strength}"),
        )?;
        Ok(Operations { count, strength })
    }

    /// Whether no image is varied.
    pub fn is_none(self) -> bool {
        self.count == 0
    }

    /// Varies an image `[channel][y][x]`.
    pub(in crate::data) fn vary(
        self,
        pixels: &mut [u8],
        shape: ImageShape,
        draws: Draws,
        number: u32,
    ) {
        for draw in 0..self.count {
            let words = random(draws.seed, draws.epoch, Stream::Operations, draw, number);
            self.draw(words, shape).run(pixels, shape);
        }
    }

    /// One operation, drawn by random words.
    fn draw(self, [which, sign, ..]: [u32; 4], shape: ImageShape) -> Operation {
        let strength = self.strength as f32 / STRONGEST as f32;
        let signed = |most: f32| match sign & 1 {
            0 => most * strength,
            _ => -most * strength,
        };
        let moved = |length: usize| signed(150.0 / 331.0 * length as f32).trunc();
        match below(which, OPERATIONS) {
            0 => Operation::Identity,
            1 => Operation::ShearX(signed(0.3)),
            2 => Operation::ShearY(signed(0.3)),
            3 => Operation::TranslateX(moved(shape.width)),
            4 => Operation::TranslateY(moved(shape.height)),
            5 => Operation::Rotate(signed(30.0)),
            6 => Operation::Brightness(1.0 + signed(0.9)),
            7 => Operation::Color(1.0 + signed(0.9)),
            8 => Operation::Contrast(1.0 + signed(0.9)),
            9 => Operation::Sharpness(1.0 + signed(0.9)),
            10 => Operation::Posterize(8 - (4.0 * strength).round_ties_even() as u32),
            11 => Operation::Solarize(255.0 * (1.0 - strength)),
            12 => Operation::AutoContrast,
            _ => Operation::Equalize,
        }
    }
}

impl Operation {
    fn run(self, pixels: &mut [u8], shape: ImageShape) {
        match self {
            Operation::Identity => {}
            // The upper left corner stays, not the middle of the pixel there.
            Operation::ShearX(by) => image::warp(pixels, shape, |x, y| (x + by * (y + 0.5), y)),
            Operation::ShearY(by) => image::warp(pixels, shape, |x, y| (x, y + by * (x + 0.5))),
            Operation::TranslateX(by) => image::warp(pixels, shape, |x, y| (x - by, y)),
            Operation::TranslateY(by) => image::warp(pixels, shape, |x, y| (x, y - by)),
            Operation::Rotate(degrees) => {
                let (sin, cos) = degrees.to_radians().sin_cos();
                let [middle_x, middle_y] =
                    [shape.width, shape.height].map(|n| n as f32 / 2.0 - 0.5);
                image::warp(pixels, shape, |x, y| {
                    let (x, y) = (x - middle_x, y - middle_y);
                    (cos * x - sin * y + middle_x, sin * x + cos * y + middle_y)
                });
            }
            Operation::Brightness(factor) => image::towards(pixels, factor, |_| 0),
            Operation::Color(factor) => {
                if let Some(grey) = image::grey(pixels, shape) {
                    let plane = grey.len();
                    image::towards(pixels, factor, |at| grey[at % plane]);
                }
            }
            Operation::Contrast(factor) => {
                let mean = image::mean(pixels, shape);
                image::towards_real(pixels, factor, |_| mean);
            }
            Operation::Sharpness(factor) => {
                let smooth = image::smooth(pixels, shape);
                image::towards(pixels, factor, |at| smooth[at]);
            }
            Operation::Posterize(bits) => {
                let kept = 0xff_u8 << (8 - bits);
                pixels.iter_mut().for_each(|pixel| *pixel &= kept);
            }
            Operation::Solarize(from) => {
                let bright = pixels.iter_mut().filter(|pixel| f32::from(**pixel) >= from);
                bright.for_each(|pixel| *pixel = 255 - *pixel);
            }
            Operation::AutoContrast => image::stretch(pixels, shape),
            Operation::Equalize => image::equalize(pixels, shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: ImageShape = ImageShape {
        channels: 3,
        height: 5,
        width: 4,
    };

    fn noise() -> Vec<u8> {
        (0..60u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect()
    }

    fn after(operation: Operation, pixels: &[u8]) -> Vec<u8> {
        let mut pixels = pixels.to_vec();
        operation.run(&mut pixels, SHAPE);
        pixels
    }

    #[test]
    fn no_strength_changes_nothing() {
        let image = noise();
        for operation in [
            Operation::Identity,
            Operation::ShearX(0.0),
            Operation::ShearY(0.0),
            Operation::TranslateX(0.0),
            Operation::TranslateY(0.0),
            Operation::Rotate(0.0),
            Operation::Brightness(1.0),
            Operation::Color(1.0),
            Operation::Contrast(1.0),
            Operation::Sharpness(1.0),
            Operation::Posterize(8),
            Operation::Solarize(255.5),
        ] {
            assert_eq!(after(operation, &image), image, "{operation:?}");
        }
    }

    #[test]
    fn operations_do_what_they_are_called() {
        let image = noise();
        let at = |image: &[u8], c: usize, y: usize, x: usize| image[(c * 5 + y) * 4 + x];
        let (right, down) = (
            after(Operation::TranslateX(1.0), &image),
            after(Operation::TranslateY(-2.0), &image),
        );
        let turned = after(Operation::Rotate(180.0), &image);
        for c in 0..3 {
            for y in 0..5 {
                for x in 0..4 {
                    let from = |x: Option<usize>, y: usize| match x {
                        Some(x) if x < 4 && y < 5 => at(&image, c, y, x),
                        _ => 0,
                    };
                    assert_eq!(at(&right, c, y, x), from(x.checked_sub(1), y));
                    assert_eq!(at(&down, c, y, x), from(Some(x), y + 2));
                    assert_eq!(at(&turned, c, y, x), from(Some(3 - x), 4 - y));
                }
            }
        }
        let half = |v: u8| (f32::from(v) * 0.5) as u8;
        assert!(
            after(Operation::Brightness(0.5), &image)
                .iter()
                .zip(&image)
                .all(|(&a, &b)| a == half(b))
        );
        assert!(
            after(Operation::Posterize(4), &image)
                .iter()
                .all(|v| v & 15 == 0)
        );
        let inverted = after(Operation::Solarize(0.0), &image);
        assert!(inverted.iter().zip(&image).all(|(a, b)| a + b == 255));
        // Without colour all channels are the same.
        let grey = after(Operation::Color(0.0), &image);
        assert!((0..20).all(|i| grey[i] == grey[20 + i] && grey[i] == grey[40 + i]));
        let flat = after(Operation::Contrast(0.0), &image);
        assert!(flat.iter().all(|v| *v == flat[0]));
        let stretched = after(Operation::AutoContrast, &image);
        for plane in stretched.chunks(20) {
            assert_eq!(
                (plane.iter().min(), plane.iter().max()),
                (Some(&0), Some(&255))
            );
        }
        assert_eq!(after(Operation::AutoContrast, &[7; 60]), [7; 60]);
        assert_eq!(after(Operation::Equalize, &[7; 60]), [7; 60]);
    }

    /// Every operation beside torchvision's (`tests/parity/make_rand_augment_fixture.py`), to the byte.
    #[test]
    fn operations_are_those_of_torchvision() {
        let text = include_str!("../../../tests/parity/rand_augment.json");
        let fixture: serde_json::Value = serde_json::from_str(text).unwrap();
        let bytes = |value: &serde_json::Value| -> Vec<u8> {
            let hex = value.as_str().unwrap();
            let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
            (0..hex.len()).step_by(2).map(byte).collect()
        };
        let length = |name: &str| fixture[name].as_u64().unwrap() as usize;
        let shape = ImageShape {
            channels: 3,
            height: length("height"),
            width: length("width"),
        };
        let cases = fixture["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 22);
        for case in cases {
            let by = case["magnitude"].as_f64().unwrap() as f32;
            let operation = match case["operation"].as_str().unwrap() {
                "ShearX" => Operation::ShearX(by),
                "ShearY" => Operation::ShearY(by),
                "TranslateX" => Operation::TranslateX(by),
                "TranslateY" => Operation::TranslateY(by),
                "Rotate" => Operation::Rotate(by),
                "Brightness" => Operation::Brightness(1.0 + by),
                "Color" => Operation::Color(1.0 + by),
                "Contrast" => Operation::Contrast(1.0 + by),
                "Sharpness" => Operation::Sharpness(1.0 + by),
                "Posterize" => Operation::Posterize(by as u32),
                "Solarize" => Operation::Solarize(by),
                "AutoContrast" => Operation::AutoContrast,
                _ => Operation::Equalize,
            };
            let mut own = bytes(&fixture["pixels"]);
            operation.run(&mut own, shape);
            assert!(own == bytes(&case["pixels"]), "{operation:?}");
        }
    }

    /// Fixed values, so that a seed keeps its meaning.
    #[test]
    fn draws_stay() {
        let operations = Operations::new(2, 15).unwrap();
        let mut seen = Vec::new();
        for number in 0..400 {
            let words = random(3, 1, Stream::Operations, 0, number);
            let drawn = operations.draw(words, SHAPE);
            if !seen
                .iter()
                .any(|other| std::mem::discriminant(other) == std::mem::discriminant(&drawn))
            {
                seen.push(drawn);
            }
            match drawn {
                Operation::ShearX(by) => assert_eq!(by.abs(), 0.15),
                Operation::Rotate(by) => assert_eq!(by.abs(), 15.0),
                Operation::Contrast(by) => assert!([0.55, 1.45].contains(&by)),
                Operation::Posterize(bits) => assert_eq!(bits, 6),
                Operation::Solarize(from) => assert_eq!(from, 127.5),
                _ => {}
            }
        }
        assert_eq!(seen.len(), 14, "{seen:?}");
        let vary = |seed, epoch, number| {
            let mut image = noise();
            operations.vary(&mut image, SHAPE, Draws { seed, epoch }, number);
            image
        };
        assert_eq!(vary(1, 2, 3), vary(1, 2, 3));
        let others = (0..20).map(|number| vary(1, 2, number));
        assert!(others.collect::<std::collections::BTreeSet<_>>().len() > 10);
        assert!(Operations::default().is_none() && Operations::new(0, 5).unwrap().is_none());
        assert!(Operations::new(17, 5).is_err() && Operations::new(2, 31).is_err());
    }
}
