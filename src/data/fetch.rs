//! Images as bytes, augmented: from memory or from their files.

use super::augmentation::{Augmentation, Draws};
use super::crop::{Cutter, Part};
use super::{FolderSplit, ImageShape, Images, Split};
use crate::error::Result;

/// Which images a loader takes, and what happens to them.
pub(super) struct Recipe {
    pub images: Images,
    pub shape: ImageShape,
    pub augmentation: Augmentation,
    pub draws: Draws,
}

impl Recipe {
    /// The images in memory, if they are used as they lie there.
    fn in_place(&self) -> Option<&Split> {
        let split = self.images.memory()?;
        (self.augmentation == Augmentation::None).then_some(split)
    }

    /// Reads an image of a folder; `middle` is room for it before it is moved.
    fn read(
        &self,
        split: &FolderSplit,
        number: usize,
        cutter: &mut Cutter,
        middle: &mut [u8],
        output: &mut [u8],
    ) -> Result<()> {
        match self.augmentation {
            Augmentation::None => split.read(number, Part::Middle, cutter, output),
            Augmentation::PadCropFlip { .. } => {
                split.read(number, Part::Middle, cutter, middle)?;
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
                split.read(number, part, cutter, output)
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

    /// Gets the images with these numbers ready.
    ///
    /// # Errors
    /// A file that cannot be read or decoded.
    pub fn fill(&mut self, numbers: impl Iterator<Item = usize>) -> Result<()> {
        if self.recipe.in_place().is_some() {
            return Ok(());
        }
        let places = (self.filled).chunks_exact_mut(self.recipe.shape.features());
        for (number, output) in numbers.zip(places) {
            match (&self.recipe.images, &mut self.cutter) {
                (Images::Memory(split), _) => {
                    self.recipe.shift(number, split.image(number), output);
                }
                (Images::Folder(split), Some((cutter, part))) => {
                    self.recipe.read(split, number, cutter, part, output)?;
                }
                (Images::Folder(_), None) => {} // A folder has its cutter.
            }
        }
        Ok(())
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
