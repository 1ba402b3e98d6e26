//! How images that a network has learned from are recognised, wherever they lie: by a 64-bit hash of each, over its
//! size and its pixels, so that a set in memory and a folder of PNG files made from it have the same hashes.
//!
//! An image that was resized, or compressed once more, counts as another one.

use rayon::prelude::*;

use super::image_folder::{of_pixels, of_planes};
use super::{Dataset, ImageHashes, ImageShape, Images, Split, TestPart};
use crate::error::Result;

/// The result of `hash` for each image in memory, from its size and its planes of red, green and blue; `None` if the
/// images are neither grey nor RGB.
fn of_split(
    split: &Split,
    shape: ImageShape,
    hash: impl Fn(u32, u32, [&[u8]; 3]) -> u64,
) -> Option<Vec<u64>> {
    let ImageShape {
        channels,
        height,
        width,
    } = shape;
    let planes: [usize; 3] = match channels {
        1 => [0; 3],
        3 => [0, 1, 2],
        _ => return None,
    };
    let (wide, high) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let of_image = |index| {
        let image = split.image(index);
        let plane = |plane| &image[plane * width * height..][..width * height];
        hash(wide, high, planes.map(plane))
    };
    Some((0..split.len()).map(of_image).collect())
}

/// The hash over the pixels of three planes.
fn of_interleaved(width: u32, height: u32, [red, green, blue]: [&[u8]; 3]) -> u64 {
    let pixels = red.iter().zip(green).zip(blue);
    let pixels: Vec<u8> = pixels.flat_map(|((&r, &g), &b)| [r, g, b]).collect();
    of_pixels(width, height, &pixels)
}

impl Images {
    /// A hash of each image of this shape, 0 for an image of a folder that has not been read yet; `None` for samples
    /// that are not images.
    pub(crate) fn hashes(&self, shape: ImageShape) -> Option<Vec<u64>> {
        match (self.memory(), self.folder()) {
            (Some(split), _) => of_split(split, shape, of_interleaved),
            (_, Some(split)) => Some(split.hashes.of_pixels(split.len())),
            (None, None) => None,
        }
    }

    /// What was read of a folder here, for another process: the hash of each image, then those of older versions; empty
    /// for other samples.
    pub(crate) fn what_was_read(&self) -> Vec<u64> {
        self.folder().map_or(Vec::new(), |split| {
            let images = split.len();
            [
                split.hashes.of_pixels(images),
                split.hashes.of_older(images),
            ]
            .concat()
        })
    }

    /// Notes [what another process has read](Self::what_was_read).
    pub(crate) fn add_read(&self, read: &[u64]) {
        if let Some(split) = self.folder().filter(|split| 2 * split.len() == read.len()) {
            let (pixels, older) = read.split_at(split.len());
            split.hashes.add(pixels, older);
        }
    }

    /// The same hashes as older versions computed them.
    fn older_hashes(&self, shape: ImageShape) -> Option<Vec<u64>> {
        match (self.memory(), self.folder()) {
            (Some(split), _) => of_split(split, shape, of_planes),
            (_, Some(split)) => Some(split.hashes.of_older(split.len())),
            (None, None) => None,
        }
    }
}

impl Dataset {
    /// Announces that the test and validation images will be compared with these: from here on, the hashes needed for
    /// that are noted as images are read.
    pub fn compares_with(&self, learned: &ImageHashes) {
        if learned.older.is_empty() {
            return;
        }
        let validation = self.validation.iter().map(|held| &held.images);
        for split in validation.chain([&self.test]).filter_map(Images::folder) {
            split.hashes.expect_older(split.len());
        }
    }

    /// How many of the test images read so far are among these; `None` for samples that are not images.
    pub fn test_images_among(&self, learned: &ImageHashes) -> Option<u64> {
        let known = |known: &[u64], hashes: Vec<u64>| -> Vec<bool> {
            let one = |hash| known.binary_search(hash).is_ok();
            hashes.iter().map(one).collect()
        };
        let mut among = known(&learned.pixels, self.test.hashes(self.shape)?);
        if !learned.older.is_empty() {
            let older = known(&learned.older, self.test.older_hashes(self.shape)?);
            (among.iter_mut().zip(older)).for_each(|(among, older)| *among |= older);
        }
        Some(among.into_iter().filter(|&among| among).count() as u64)
    }

    /// Reads all test images of a folder, so that their hashes are known.
    ///
    /// # Errors
    /// An image cannot be read, and bad images are not left out.
    pub fn read_test_images(&self) -> Result<()> {
        let Some(split) = self.test.folder() else {
            return Ok(());
        };
        (0..split.len()).into_par_iter().try_for_each_init(
            || (split.cutter(), vec![0; split.features()]),
            |(cutter, scratch), index| split.look(index, cutter, scratch),
        )
    }
}

impl TestPart {
    /// Whether a result on images from there is a test result: the network was trained on none of them. `trained_on`:
    /// on how many it was trained, if known.
    pub fn is_test(part: Option<&Self>, trained_on: Option<u64>) -> bool {
        match trained_on {
            Some(count) => count == 0,
            None => !part.is_some_and(Self::trained_on),
        }
    }

    /// What a reader must know to understand a result on such images: how they were split off, and how many of them the
    /// network was trained on.
    pub fn about(part: Option<&Self>, trained_on: Option<u64>) -> Option<String> {
        let from = part.filter(|part| matches!(part, TestPart::SplitOff { .. }));
        // The number is said beside it.
        let from = from.map(|part| part.known(trained_on.map(|_| 0)).to_string());
        let trained_on = match trained_on {
            Some(0) | None => None,
            Some(count) => Some(format!("the network was trained on {count} of them")),
        };
        let about: Vec<String> = from.into_iter().chain(trained_on).collect();
        (!about.is_empty()).then(|| about.join("; "))
    }

    /// This part, given how many of its images the network is known to have learned.
    pub fn known(&self, learned_of: Option<u64>) -> Self {
        let mut part = self.clone();
        if let (TestPart::SplitOff { trained_on, .. }, Some(count)) = (&mut part, learned_of) {
            *trained_on = count > 0;
        }
        part
    }
}

#[cfg(feature = "image-folder")]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::image_folder::{decode, hash};

    fn png(pixels: &[u8], colour: png::ColorType) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 3, 2);
        encoder.set_color(colour);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
        writer.finish().unwrap();
        file
    }

    /// A set in memory, `[channel][y][x]`, and a file of a folder, `[y][x][channel]`.
    #[test]
    fn an_image_is_known_again_in_memory_and_in_a_file() {
        let shape = |channels| ImageShape {
            channels,
            height: 2,
            width: 3,
        };
        let of_file = |file: &[u8]| hash(&decode(file).unwrap());
        let planes: Vec<u8> = (0..18).collect();
        let rgb: Vec<u8> = (0..18).map(|at| planes[at % 3 * 6 + at / 3]).collect();
        let split = Split::new(18, planes.clone(), vec![7]).unwrap();
        let [hash] = of_split(&split, shape(3), of_interleaved).unwrap()[..] else {
            panic!("one image");
        };
        assert_eq!(of_file(&png(&rgb, png::ColorType::Rgb)), hash);
        assert_ne!(of_file(&png(&planes, png::ColorType::Rgb)), hash);
        let grey = Split::new(6, planes[..12].to_vec(), vec![0, 1]).unwrap();
        let hashes = of_split(&grey, shape(1), of_interleaved).unwrap();
        for (hash, image) in hashes.iter().zip(planes.chunks(6)) {
            assert_eq!(of_file(&png(image, png::ColorType::Grayscale)), *hash);
        }
        assert!(of_split(&split, ImageShape::vector(18), of_interleaved).is_none());
        // The same bytes in another shape.
        let turned = ImageShape {
            channels: 3,
            height: 3,
            width: 2,
        };
        assert_ne!(of_split(&split, turned, of_interleaved).unwrap(), [hash]);
    }
}
