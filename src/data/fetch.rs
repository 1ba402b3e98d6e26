//! Images as bytes, augmented: from memory or from their files.

use std::path::Path;

use super::augmentation::Part;
use super::augmentation::{Augmentation, Draws};
use super::crop::Cutter;
use super::{FolderSplit, ImageShape, Images, Split};
use crate::error::{Error, Result};

/// Which images a loader takes, and what happens to them.
pub(super) struct Recipe {
    pub images: Images,
    pub shape: ImageShape,
    pub augmentation: Augmentation,
    pub draws: Draws,
    /// Whether another image takes the place of one that cannot be read, where that is no error: else it is left out.
    pub replaces_bad: bool,
}

impl Recipe {
    /// The images in memory, if they are used as they lie there.
    fn in_place(&self) -> Option<&Split> {
        let split = self.images.memory()?;
        (self.augmentation == Augmentation::None).then_some(split)
    }

    /// Reads an image of a folder; `middle` is room for it before it is moved. Returns the number of the image that was read: where
    /// bad ones are left out, in a shuffled epoch another one of the class, else none.
    fn read(
        &self,
        split: &FolderSplit,
        number: usize,
        cutter: &mut Cutter,
        middle: &mut [u8],
        output: &mut [u8],
    ) -> Result<Option<usize>> {
        let Some(bad) = &split.bad else {
            self.read_file(split, number, number, cutter, middle, output)?;
            return Ok(Some(number));
        };
        let mut good = |file: usize| {
            bad.good(&split.path(file), || {
                self.read_file(split, file, number, cutter, middle, output)
            })
        };
        if good(number) {
            return Ok(Some(number));
        }
        if !self.replaces_bad {
            return Ok(None);
        }
        let replacement = split.others_of_class(number).find(|&other| good(other));
        replacement.map(Some).ok_or_else(|| {
            let path = split.path(number);
            Error::Data {
                path: path.parent().map_or(path.clone(), Path::to_owned),
                reason: "none of the class's training images can be read; put sound ones there, or remove the class"
                    .to_owned(),
            }
        })
    }

    /// Reads the file of image `file` as if it were image `number`.
    fn read_file(
        &self,
        split: &FolderSplit,
        file: usize,
        number: usize,
        cutter: &mut Cutter,
        middle: &mut [u8],
        output: &mut [u8],
    ) -> Result<()> {
        match self.augmentation {
            Augmentation::None => split.read(file, Part::Middle, cutter, output),
            Augmentation::PadCropFlip { .. } => {
                split.read(file, Part::Middle, cutter, middle)?;
                self.shift(number, middle, output);
                Ok(())
            }
            Augmentation::RandomCrop { crop, flip } => {
                let part = Part::Random {
                    crop,
                    flip,
                    draws: self.draws,
                    image: number as u32,
                };
                split.read(file, part, cutter, output)
            }
        }
    }

    /// Moves a whole image.
    fn shift(&self, number: usize, image: &[u8], output: &mut [u8]) {
        let (pad, flip) = self.augmentation.shift();
        self.draws
            .place(number as u32, 2 * pad + 1, 2 * pad + 1, flip)
            .cut(image, self.shape, pad, output);
    }
}

/// A few images at a time, `[channel][y][x]`.
pub(super) struct Fetch<'a> {
    recipe: &'a Recipe,
    /// Images that are not used in place, one after the other.
    filled: Vec<u8>,
    /// For a folder: what cuts parts out of its images, and the part before it is moved.
    cutter: Option<(Cutter, Vec<u8>)>,
}

impl<'a> Fetch<'a> {
    /// For up to `most` images at a time.
    pub fn new(recipe: &'a Recipe, most: usize) -> Self {
        let features = recipe.shape.features();
        Self {
            filled: match recipe.in_place() {
                Some(_) => Vec::new(),
                None => vec![0; most * features],
            },
            cutter: (recipe.images.folder()).map(|split| (split.cutter(), vec![0; features])),
            recipe,
        }
    }

    /// Gets the images with these numbers ready, and returns the numbers of those that are, in their order: all but those that
    /// are left out.
    ///
    /// # Errors
    /// A file that cannot be read or decoded.
    pub fn fill(&mut self, numbers: impl Iterator<Item = usize>) -> Result<Vec<usize>> {
        if self.recipe.in_place().is_some() {
            return Ok(numbers.collect());
        }
        let features = self.recipe.shape.features();
        let mut ready = Vec::new();
        for number in numbers {
            let output = &mut self.filled[ready.len() * features..][..features];
            match (&self.recipe.images, &mut self.cutter) {
                (Images::Memory(split), _) => {
                    self.recipe.shift(number, split.image(number), output);
                    ready.push(number);
                }
                (Images::Folder(split), Some((cutter, part))) => {
                    let read = self.recipe.read(split, number, cutter, part, output)?;
                    ready.extend(read);
                }
                (Images::Folder(_), None) => {} // A folder has its cutter.
            }
        }
        Ok(ready)
    }

    /// The image at place `at` of those that are ready, which has this number.
    pub fn image(&self, at: usize, number: usize) -> &[u8] {
        match self.recipe.in_place() {
            Some(split) => split.image(number),
            None => {
                let features = self.recipe.shape.features();
                &self.filled[at * features..][..features]
            }
        }
    }
}
