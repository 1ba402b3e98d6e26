//! How training images are varied, and the random numbers that decide it.
//!
//! What happens to an image is a function of the seed, the epoch and the image's number: neither the batch size, nor
//! the workers, nor the batch at which an interrupted epoch continues changes it, and the device can compute it as well
//! (`shaders/data/augment.wgsl`).

use std::str::FromStr;

use crate::data::ImageShape;
use crate::engine::random::{Stream, below, random};
use crate::error::option::AUGMENT;
use crate::error::{Error, Misfit, Result};

/// How a part of an image from a folder is chosen in training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crop {
    /// A part of random area (8 % to all of the image) and random aspect ratio (3:4 to 4:3), resized to the requested
    /// size (Szegedy et al., "Going deeper with convolutions", CVPR 2015); the same draw as torchvision's
    /// `RandomResizedCrop`.
    Resized,
    /// The image is resized as in an evaluation, then a part of the requested size is cut out at random.
    Plain,
}

/// What happens to each image of a batch before it is normalised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Augmentation {
    /// Nothing: the image as it is; for an image from a folder, its centre, as in an evaluation.
    #[default]
    None,
    /// Puts a black border of `pad` pixels round the image and cuts out a part of the image's size at random (He et
    /// al., "Deep residual learning", CVPR 2016, section 4.2).
    PadCropFlip {
        /// Width of the border on each side in pixels; 0 moves nothing.
        pad: u32,
        /// Mirror every second image on average, at random, left to right.
        flip: bool,
    },
    /// A random part of an image from a folder.
    RandomCrop {
        /// How the part is chosen.
        crop: Crop,
        /// Mirror every second image on average, at random, left to right.
        flip: bool,
    },
}

/// The names that [`Augmentation`] parses from, with their meanings.
const NAMED: [(&str, Augmentation); 5] = [
    ("none", Augmentation::None),
    ("flip", Augmentation::PadCropFlip { pad: 0, flip: true }),
    (
        "pad-crop-flip",
        Augmentation::PadCropFlip { pad: 4, flip: true },
    ),
    (
        "resized-crop-flip",
        Augmentation::RandomCrop {
            crop: Crop::Resized,
            flip: true,
        },
    ),
    (
        "plain-crop-flip",
        Augmentation::RandomCrop {
            crop: Crop::Plain,
            flip: true,
        },
    ),
];

impl FromStr for Augmentation {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = NAMED.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, augmentation)| *augmentation)
            .ok_or_else(|| Error::Unknown {
                what: "augmentation",
                name: name.to_owned(),
                known: Self::names().join(", "),
            })
    }
}

impl Augmentation {
    /// The names that it parses from.
    pub fn names() -> [&'static str; NAMED.len()] {
        NAMED.map(|(name, _)| name)
    }

    /// The name that it parses from; `None` if its border is another one.
    pub fn name(self) -> Option<&'static str> {
        let found = NAMED.iter().find(|(_, known)| *known == self);
        found.map(|(name, _)| *name)
    }

    /// Checks that it suits images of this shape.
    ///
    /// # Errors
    /// [`Error::Shape`] for a border larger than the images, [`Error::Value`] for random crops of images in memory,
    /// which already have the requested size.
    pub(in crate::data) fn check(self, shape: ImageShape, in_memory: bool) -> Result<()> {
        let ImageShape { height, width, .. } = shape;
        match self {
            Augmentation::PadCropFlip { pad, .. } if pad as usize > height.min(width) => {
                Err(Error::Shape(Misfit::TooMany {
                    what: format!("pixels of a border around images of {height} × {width}"),
                    count: pad.to_string(),
                    most: height.min(width) as u64,
                    way_out: "a smaller one".to_owned(),
                }))
            }
            Augmentation::RandomCrop { .. } if in_memory => Err(Error::Value {
                option: AUGMENT.0,
                must: "must suit images in memory, without random crops of larger ones".to_owned(),
                value: self.name().unwrap_or("a random crop").to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Border and mirroring of an augmentation that moves whole images; for others, values that change nothing.
    pub(in crate::data) fn shift(self) -> (u32, bool) {
        match self {
            Augmentation::PadCropFlip { pad, flip } => (pad, flip),
            Augmentation::None | Augmentation::RandomCrop { .. } => (0, false),
        }
    }
}

/// Which part of an image to take.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) enum Part {
    /// The centre, as in an evaluation.
    Middle,
    /// At random, for training.
    Random {
        crop: Crop,
        flip: bool,
        draws: Draws,
        /// Number of the image.
        image: u32,
    },
}

/// What the random numbers of an epoch are a function of, besides the image's number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Draws {
    /// The run's seed.
    pub seed: u32,
    /// Number of the epoch.
    pub epoch: u32,
}

/// The draw whose words are row, column and mirroring. The draws after it are attempts at a resized crop.
const PLACE: u32 = 0;

impl Draws {
    /// Four words for an image.
    fn words(self, image: u32, draw: u32) -> [u32; 4] {
        random(self.seed, self.epoch, Stream::Augmentation, draw, image)
    }

    /// Four words for attempt `attempt`, counted from 0, at a crop of an image.
    pub(in crate::data) fn attempt(self, image: u32, attempt: u32) -> [u32; 4] {
        self.words(image, PLACE + 1 + attempt)
    }

    /// One of `rows` × `columns` places, and whether to mirror if `flip` asks for it.
    pub(in crate::data) fn place(self, image: u32, rows: u32, columns: u32, flip: bool) -> Place {
        let words = self.words(image, PLACE);
        Place {
            top: below(words[0], rows),
            left: below(words[1], columns),
            flip: flip && below(words[2], 2) == 1,
        }
    }
}

/// Where a part is cut out of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::data) struct Place {
    pub top: u32,
    pub left: u32,
    pub flip: bool,
}

impl Place {
    /// Cuts `output` out of `image` with a black border of `pad` pixels round it; both are `[channel][y][x]` of one
    /// shape.
    pub fn cut(self, image: &[u8], shape: ImageShape, pad: u32, output: &mut [u8]) {
        let ImageShape { height, width, .. } = shape;
        let (pad, top, left) = (pad as usize, self.top as usize, self.left as usize);
        // The image's columns in the part, and where in the part they begin.
        let begin = pad.saturating_sub(left);
        let from = left.saturating_sub(pad);
        let kept = (width - from).min(width - begin);
        for (row, output) in output.chunks_exact_mut(width).enumerate() {
            output.fill(0);
            let y = row % height + top;
            if y < pad || y - pad >= height {
                continue;
            }
            let input = (row / height * height + y - pad) * width + from;
            output[begin..begin + kept].copy_from_slice(&image[input..input + kept]);
            if self.flip {
                output.reverse();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_and_others_are_told() {
        for (name, augmentation) in NAMED {
            assert_eq!(name.parse::<Augmentation>().unwrap(), augmentation);
        }
        let message = "crop".parse::<Augmentation>().unwrap_err().to_string();
        assert!(message.contains("`crop`") && message.contains("pad-crop-flip"));
    }

    /// Fixed values, so that a seed keeps its meaning; computed by a Python version of pcg4d.
    #[test]
    fn a_place_never_changes() {
        let place = |image| {
            let Place { top, left, flip } = Draws { seed: 1, epoch: 2 }.place(image, 9, 9, true);
            (top, left, flip)
        };
        let expected = [(8, 0, false), (5, 8, true), (1, 6, false), (5, 0, true)];
        assert_eq!([0, 1, 2, 49_999].map(place), expected);
    }

    /// Compared with the definition: pixel by pixel out of a bordered image, then mirrored.
    #[test]
    fn a_cut_is_what_a_border_and_a_window_give() {
        let shape = ImageShape {
            channels: 2,
            height: 3,
            width: 5,
        };
        let image: Vec<u8> = (1..=30).collect();
        for pad in 0..=3u32 {
            for place in (0..=2 * pad)
                .flat_map(|top| (0..=2 * pad).map(move |left| (top, left)))
                .flat_map(|(top, left)| [false, true].map(|flip| Place { top, left, flip }))
            {
                let mut output = vec![99; 30];
                place.cut(&image, shape, pad, &mut output);
                for (at, &found) in output.iter().enumerate() {
                    let (channel, y, x) = (at / 15, at / 5 % 3, at % 5);
                    let x = if place.flip { 4 - x } else { x };
                    let y = (y as u32 + place.top).checked_sub(pad).map(|y| y as usize);
                    let x = (x as u32 + place.left).checked_sub(pad).map(|x| x as usize);
                    let expected = match (y, x) {
                        (Some(y @ 0..3), Some(x @ 0..5)) => image[channel * 15 + y * 5 + x],
                        _ => 0,
                    };
                    assert_eq!(found, expected, "{place:?}, pad {pad}, at {at}");
                }
            }
        }
    }
}
