//! How a batch, or a part of one, gets into a network's input: uploaded by the host, or made on the device.

use super::buffers::Buffers;
use super::phase;
use crate::data::{
    Augmentation, Batch, Draws, ImageShape, Normalisation, ResidentImages, Split, TargetKind,
    Targets,
};
use crate::engine::{Device, Plan, Program, View, touched_bytes};
use crate::error::{Error, Misfit, Result};

/// A part of a batch, for a network's input. Whatever can fill two views is one.
pub trait Feed {
    /// Number of samples.
    fn count(&self) -> usize;

    /// Fills inputs and targets; lanes from the number of samples on with zeros.
    ///
    /// # Errors
    /// Samples of another shape, or a lost device.
    fn load(&self, device: &Device, slots: &Slots) -> Result<()>;
}

/// Where a batch goes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Slots {
    /// Lanes, padding included.
    pub lanes: usize,
    /// `[channels][positions][lanes]`, f32.
    pub inputs: View,
    /// What the loss compares the outputs with.
    pub kind: TargetKind,
    /// Outputs of the network; labels are below.
    pub outputs: usize,
    /// Labels `[lanes]`, u32, or values `[values][lanes]`, f32.
    pub targets: View,
}

impl Slots {
    pub(super) fn of(buffers: &Buffers) -> Self {
        let words = buffers.kind.words() * buffers.lanes;
        Slots {
            lanes: buffers.lanes,
            inputs: buffers.input.all(),
            kind: buffers.kind,
            outputs: buffers.classes,
            targets: buffers.targets.range(0..words),
        }
    }

    /// Refuses targets of another kind, and a class that the network has no logit for: the loss would be read from
    /// another place.
    fn check(&self, targets: &Targets) -> Result<()> {
        let words = self.kind.words() * self.lanes;
        match (targets, self.kind) {
            (Targets::Labels(labels), TargetKind::Labels) if labels.len() == words => {
                known(labels, self.outputs)
            }
            (Targets::Values(values), TargetKind::Values(_)) if values.len() == words => Ok(()),
            (found, kind) => Err(Error::Shape(Misfit::Unfit {
                found: format!(
                    "{} {} of a batch",
                    found.words(),
                    match found {
                        Targets::Labels(_) => "labels",
                        Targets::Values(_) => "numbers",
                    }
                ),
                expected: format!(
                    "a network whose loss takes {kind} a sample, in {} lanes",
                    self.lanes
                ),
            })),
        }
    }
}

impl Feed for Batch {
    fn count(&self) -> usize {
        self.count
    }

    fn load(&self, device: &Device, slots: &Slots) -> Result<()> {
        let (inputs, lanes) = (slots.inputs.words(), slots.lanes);
        if self.inputs.len() != inputs || self.count > lanes {
            return Err(Error::Shape(Misfit::Batch {
                samples: self.count,
                numbers: self.inputs.len(),
                lanes,
                inputs,
            }));
        }
        slots.check(&self.targets)?;
        device.upload(&slots.inputs, &self.inputs)?;
        match &self.targets {
            Targets::Labels(labels) => device.upload(&slots.targets, labels),
            Targets::Values(values) => device.upload(&slots.targets, values),
        }
    }
}

/// Refuses a class that the network has no logit for.
fn known(labels: &[u32], outputs: usize) -> Result<()> {
    match labels.iter().find(|&&label| label as usize >= outputs) {
        None => Ok(()),
        Some(label) => Err(Error::Shape(Misfit::Other(format!(
            "an image has class {label}, and the network tells {outputs} classes apart, counted from 0"
        )))),
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
        buffers: &Buffers,
        split: &Split,
        shape: ImageShape,
        normalisation: &Normalisation,
        augmentation: Augmentation,
    ) -> Result<Self> {
        if buffers.kind != TargetKind::Labels {
            return Err(Error::Shape(Misfit::Unfit {
                found: "images on the device, which have classes,".to_owned(),
                expected: format!("a loss that takes {} a sample", buffers.kind),
            }));
        }
        known(split.labels(), buffers.classes)?;
        let images = ResidentImages::new(device, split, shape, normalisation, buffers.lanes)?;
        let mut plan = Plan::new("batch of resident images");
        plan.phase(phase::DATA);
        images.record(
            &mut plan,
            augmentation,
            buffers.input.all(),
            buffers.targets.all(),
        )?;
        Ok(Resident {
            program: device.prepare(&plan)?,
            images,
        })
    }

    /// Bytes of device memory that making a batch touches, all images among them.
    pub fn bytes(&self) -> u64 {
        touched_bytes([&self.program], phase::DATA)
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

    fn load(&self, device: &Device, _: &Slots) -> Result<()> {
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

    fn load(&self, device: &Device, slots: &Slots) -> Result<()> {
        match self {
            Part::Loaded(batch) => batch.load(device, slots),
            Part::Resident(batch) => batch.load(device, slots),
        }
    }
}
