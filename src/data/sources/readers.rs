//! Images as data sources: bytes from memory or from their files, augmented.

use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::definition::{DataSource, Inputs, Reader, Reading};
use crate::data::augmentation::{Augmentation, Draws, Part};
use crate::data::image_folder::{Cutter, File};
use crate::data::{FolderSplit, ImageShape, Split, TargetKind};
use crate::error::{Error, Result};

impl DataSource for Split {
    fn len(&self) -> usize {
        Split::len(self)
    }

    fn features(&self) -> usize {
        Split::features(self)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Labels
    }

    fn label(&self, number: usize) -> u32 {
        Split::label(self, number)
    }

    /// Pixels from 0 to 1, in the order of memory.
    fn read(&self, number: usize, _: Draws, inputs: &mut [f32], _: &mut [f32]) -> Result<()> {
        scaled(self.image(number), inputs);
        Ok(())
    }

    fn check(&self, augmentation: Augmentation, shape: ImageShape) -> Result<()> {
        augmentation.check(shape, true)
    }

    fn open<'a>(&'a self, reading: &'a Reading, most: usize) -> Result<Box<dyn Reader + 'a>> {
        if reading.augmentation == Augmentation::None {
            return Ok(Box::new(InPlace(self)));
        }
        let features = self.features();
        Ok(Box::new(Moved {
            split: self,
            reading,
            moved: Filled::new(most, features),
        }))
    }

    /// Over labels and pixels.
    fn fingerprint(&self) -> Result<String> {
        let mut hash = Xxh3::new();
        for (image, label) in self.labels().iter().enumerate() {
            hash.update(&label.to_le_bytes());
            hash.update(self.image(image));
        }
        Ok(format!("{:032x}", hash.digest128()))
    }
}

impl DataSource for FolderSplit {
    fn len(&self) -> usize {
        FolderSplit::len(self)
    }

    fn features(&self) -> usize {
        FolderSplit::features(self)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Labels
    }

    fn label(&self, number: usize) -> u32 {
        FolderSplit::label(self, number)
    }

    /// Pixels from 0 to 1, of the part that tests see.
    fn read(&self, number: usize, _: Draws, inputs: &mut [f32], _: &mut [f32]) -> Result<()> {
        let mut image = vec![0; self.features()];
        FolderSplit::read(self, number, Part::Middle, &mut self.cutter(), &mut image)?;
        scaled(&image, inputs);
        Ok(())
    }

    fn check(&self, augmentation: Augmentation, shape: ImageShape) -> Result<()> {
        augmentation.check(shape, false)
    }

    fn open<'a>(&'a self, reading: &'a Reading, most: usize) -> Result<Box<dyn Reader + 'a>> {
        let features = self.features();
        Ok(Box::new(Files {
            split: self,
            reading,
            cutter: self.cutter(),
            middle: vec![0; features],
            filled: Filled::new(most, features),
        }))
    }

    /// Over the class, the name and the length of each file.
    fn fingerprint(&self) -> Result<String> {
        let mut hash = Xxh3::new();
        for File { class, bytes, name } in &self.files {
            // No name contains a zero byte, so adjacent entries cannot run together.
            hash.update(self.classes[*class as usize].as_bytes());
            hash.update(&[0]);
            hash.update(name.as_encoded_bytes());
            hash.update(&[0]);
            hash.update(&bytes.to_le_bytes());
        }
        Ok(format!("{:032x}", hash.digest128()))
    }
}

fn scaled(bytes: &[u8], reals: &mut [f32]) {
    for (real, &byte) in reals.iter_mut().zip(bytes) {
        *real = f32::from(byte) / 255.0;
    }
}

/// Images in memory, read where they are.
struct InPlace<'a>(&'a Split);

impl Reader for InPlace<'_> {
    fn fetch(&mut self, numbers: &[usize]) -> Result<Vec<usize>> {
        Ok(numbers.to_vec())
    }

    fn inputs(&self, _: usize, number: usize) -> Inputs<'_> {
        Inputs::Bytes(self.0.image(number))
    }
}

/// Images one after the other.
struct Filled {
    features: usize,
    bytes: Vec<u8>,
}

impl Filled {
    fn new(most: usize, features: usize) -> Self {
        let bytes = vec![0; most * features];
        Self { features, bytes }
    }

    fn place(&mut self, place: usize) -> &mut [u8] {
        &mut self.bytes[place * self.features..][..self.features]
    }

    fn inputs(&self, place: usize) -> Inputs<'_> {
        Inputs::Bytes(&self.bytes[place * self.features..][..self.features])
    }
}

/// Shifts a whole image.
fn shift(reading: &Reading, number: usize, image: &[u8], output: &mut [u8]) {
    let (pad, flip) = reading.augmentation.shift();
    (reading.draws)
        .place(number as u32, 2 * pad + 1, 2 * pad + 1, flip)
        .cut(image, reading.shape, pad, output);
}

/// Images in memory, each shifted.
struct Moved<'a> {
    split: &'a Split,
    reading: &'a Reading,
    moved: Filled,
}

impl Reader for Moved<'_> {
    fn fetch(&mut self, numbers: &[usize]) -> Result<Vec<usize>> {
        for (place, &number) in numbers.iter().enumerate() {
            let image = self.split.image(number);
            shift(self.reading, number, image, self.moved.place(place));
        }
        Ok(numbers.to_vec())
    }

    fn inputs(&self, place: usize, _: usize) -> Inputs<'_> {
        self.moved.inputs(place)
    }
}

/// Images of a folder.
struct Files<'a> {
    split: &'a FolderSplit,
    reading: &'a Reading,
    /// Cuts parts out of images.
    cutter: Cutter,
    /// An image before it is shifted.
    middle: Vec<u8>,
    filled: Filled,
}

impl Reader for Files<'_> {
    fn fetch(&mut self, numbers: &[usize]) -> Result<Vec<usize>> {
        let mut ready = Vec::new();
        for &number in numbers {
            ready.extend(self.read(number, ready.len())?);
        }
        Ok(ready)
    }

    fn inputs(&self, place: usize, _: usize) -> Inputs<'_> {
        self.filled.inputs(place)
    }
}

impl Files<'_> {
    /// Reads an image to a place. Returns the number of the image that was read: if bad images are left out, this is
    /// another image of the class in a shuffled epoch, and `None` otherwise.
    fn read(&mut self, number: usize, place: usize) -> Result<Option<usize>> {
        let (split, replaces_bad) = (self.split, self.reading.replaces_bad);
        let Some(bad) = &split.bad else {
            self.read_file(number, number, place)?;
            return Ok(Some(number));
        };
        let mut good =
            |file: usize| bad.good(&split.path(file), || self.read_file(file, number, place));
        if good(number) {
            return Ok(Some(number));
        }
        if !replaces_bad {
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
    fn read_file(&mut self, file: usize, number: usize, place: usize) -> Result<()> {
        let (split, reading, cutter) = (self.split, self.reading, &mut self.cutter);
        let output = self.filled.place(place);
        match reading.augmentation {
            Augmentation::None => FolderSplit::read(split, file, Part::Middle, cutter, output),
            Augmentation::PadCropFlip { .. } => {
                FolderSplit::read(split, file, Part::Middle, cutter, &mut self.middle)?;
                shift(reading, number, &self.middle, output);
                Ok(())
            }
            Augmentation::RandomCrop { crop, flip } => {
                let part = Part::Random {
                    crop,
                    flip,
                    draws: reading.draws,
                    image: number as u32,
                };
                FolderSplit::read(split, file, part, cutter, output)
            }
        }
    }
}
