//! How a batch, or a part of one, gets into a network's input: uploaded by the host, or made on the device.

use super::fixed::Fixed;
use super::section;
use crate::data::{Augmentation, Batch, Draws, ImageShape, Normalisation, ResidentImages, Split};
use crate::engine::{Device, Plan, Program, touched_bytes};
use crate::error::{Error, Result};

/// Images for a network's input.
pub trait Feed {
    /// Number of images.
    fn count(&self) -> usize;

    /// Fills input and labels.
    ///
    /// # Errors
    /// Images of another shape, or a lost device.
    #[doc(hidden)]
    fn load(&self, device: &Device, fixed: &Fixed) -> Result<()>;
}

impl Feed for Batch {
    fn count(&self) -> usize {
        self.count
    }

    fn load(&self, device: &Device, fixed: &Fixed) -> Result<()> {
        let (inputs, lanes) = (fixed.input.words(), fixed.stride);
        if (self.inputs.len(), self.labels.len()) != (inputs, lanes) || self.count > lanes {
            return Err(Error::Shape(format!(
                "a batch of {} images in {} lanes with {} numbers does not fit a network of {lanes} lanes with {inputs}",
                self.count,
                self.labels.len(),
                self.inputs.len()
            )));
        }
        known(&self.labels, fixed)?;
        device.upload(&fixed.input.all(), &self.inputs)?;
        device.upload(&fixed.labels.all(), &self.labels)
    }
}

/// Refuses a class that the network has no logit for: the loss would be read from another place.
fn known(labels: &[u32], fixed: &Fixed) -> Result<()> {
    match labels
        .iter()
        .find(|&&label| label as usize >= fixed.classes)
    {
        None => Ok(()),
        Some(label) => Err(Error::Shape(format!(
            "an image has class {label}, and the network tells {} classes apart, counted from 0",
            fixed.classes
        ))),
    }
}

/// A whole set of images on the device, and the program that makes a network's batches of them.
pub struct Resident {
    images: ResidentImages,
    program: Program,
}

impl Resident {
    pub(super) fn new(
        device: &Device,
        fixed: &Fixed,
        split: &Split,
        shape: ImageShape,
        normalisation: &Normalisation,
        augmentation: Augmentation,
    ) -> Result<Self> {
        known(split.labels(), fixed)?;
        let images = ResidentImages::new(device, split, shape, normalisation, fixed.stride)?;
        let mut plan = Plan::new("batch of resident images");
        plan.section(section::DATA);
        images.record(
            &mut plan,
            augmentation,
            fixed.input.all(),
            fixed.labels.all(),
        )?;
        Ok(Resident {
            program: device.prepare(&plan)?,
            images,
        })
    }

    /// Bytes of device memory that making a batch touches, all images among them.
    pub fn bytes(&self) -> u64 {
        touched_bytes([&self.program], section::DATA)
    }

    /// A batch of the images of these numbers.
    pub fn batch(&self, images: Vec<u32>, draws: Draws) -> ResidentBatch<'_> {
        ResidentBatch {
            resident: self,
            images,
            draws,
        }
    }
}

/// Numbers of resident images.
pub struct ResidentBatch<'a> {
    resident: &'a Resident,
    images: Vec<u32>,
    draws: Draws,
}

impl Feed for ResidentBatch<'_> {
    fn count(&self) -> usize {
        self.images.len()
    }

    fn load(&self, device: &Device, _: &Fixed) -> Result<()> {
        let Resident { images, program } = self.resident;
        images.load(device, &self.images, self.draws)?;
        device.run(program)
    }
}

/// Either of the two.
pub enum Part<'a> {
    /// Made by the host.
    Loaded(Batch),
    /// Made on the device.
    Resident(ResidentBatch<'a>),
}

impl Feed for Part<'_> {
    fn count(&self) -> usize {
        match self {
            Part::Loaded(batch) => batch.count(),
            Part::Resident(batch) => batch.count(),
        }
    }

    fn load(&self, device: &Device, fixed: &Fixed) -> Result<()> {
        match self {
            Part::Loaded(batch) => batch.load(device, fixed),
            Part::Resident(batch) => batch.load(device, fixed),
        }
    }
}
