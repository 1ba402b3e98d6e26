//! How a batch, or a part of one, gets into a network's input: uploaded by the host, or made on the device.

use super::buffers::Buffers;
use super::phase;
use crate::data::{
    Augmentation, Batch, Draws, ImageShape, MixedLabels, Normalisation, ResidentImages, Split,
    TargetKind, Targets,
};
use crate::engine::{Buffer, Device, Plan, Program, View, touched_bytes};
use crate::error::{Error, Misfit, Result};

/// A part of a batch, for a network's input. Anything that can fill two views can be one.
pub trait Feed {
    /// Number of samples.
    fn count(&self) -> usize;

    /// The sum of the samples' weights; `None` if all count the same.
    fn weight(&self) -> Option<f64> {
        None
    }

    /// Fills inputs and targets, and weights if the network has them ([`Slots::put_weights`]); lanes from the number of
    /// samples on get zeros.
    ///
    /// # Errors
    /// The samples have another shape, or the device is lost.
    fn load(&self, device: &Device, slots: &Slots) -> Result<()>;
}

/// Where a batch goes.
#[derive(Clone)]
#[non_exhaustive]
pub struct Slots {
    /// Lanes, including padding.
    pub lanes: usize,
    /// `[channels][positions][lanes]`, f32.
    pub inputs: View,
    /// What the loss compares the outputs with.
    pub kind: TargetKind,
    /// Number of outputs of the network; labels are smaller.
    pub outputs: usize,
    /// Labels `[lanes]`, u32, or flags or values `[values][lanes]`, f32.
    pub targets: View,
    /// The weight of each sample, `[lanes]`, f32, for a network that trains with weights.
    weights: Option<View>,
    /// Of mixed samples the other class and its share, `[lanes]`, u32 and f32: of a network that trains with such.
    mixed: Option<[View; 2]>,
    /// The factor of the weights that makes their mean over all of a batch's samples 1.
    factor: f64,
    /// Whether the network is trained.
    trains: bool,
}

impl Slots {
    pub(super) fn of(buffers: &Buffers, trains: bool) -> Self {
        let words = buffers.kind.words() * buffers.lanes;
        Slots {
            lanes: buffers.lanes,
            inputs: buffers.input.all(),
            kind: buffers.kind,
            outputs: buffers.classes,
            targets: buffers.targets.range(0..words),
            weights: buffers.weights.as_ref().map(Buffer::all),
            mixed: (buffers.mixed.as_ref()).map(|mixed| mixed.each_ref().map(Buffer::all)),
            factor: 1.0,
            trains,
        }
    }

    /// These slots for a batch in such parts.
    pub(super) fn for_batch(self, parts: &[impl Feed]) -> Self {
        let count: usize = parts.iter().map(Feed::count).sum();
        let weight = |part: &_| Feed::weight(part).unwrap_or(Feed::count(part) as f64);
        self.for_weight(count as f64, parts.iter().map(weight).sum())
    }

    /// These slots for a batch of `count` samples whose weights add up to `sum`.
    pub(super) fn for_weight(self, count: f64, sum: f64) -> Self {
        Slots {
            factor: match sum > 0.0 {
                true => count / sum,
                false => 1.0,
            },
            ..self
        }
    }

    /// Puts the weights of `count` samples in place, one per sample or one per lane; none: all count the same.
    ///
    /// # Errors
    /// The network trains without weights, their number is wrong, or the device is lost.
    pub fn put_weights(&self, device: &Device, weights: &[f32], count: usize) -> Result<()> {
        let Some(view) = &self.weights else {
            return match weights.is_empty() || !self.trains {
                true => Ok(()),
                false => Err(Error::Shape(Misfit::NotMadeFor {
                    what: "samples with weights",
                    option: "weighted",
                })),
            };
        };
        let mut all = vec![0.0; self.lanes];
        match weights.len() {
            0 => all[..count].fill(self.factor as f32),
            n if n == self.lanes || n == count => {
                for (put, &weight) in all[..count].iter_mut().zip(weights) {
                    *put = (f64::from(weight) * self.factor) as f32;
                }
            }
            n => {
                return Err(Error::Shape(Misfit::OneEach {
                    what: "weights",
                    found: n,
                    of: "lanes",
                    needed: self.lanes,
                }));
            }
        }
        device.upload(view, &all)
    }

    /// Puts the other classes of mixed samples in place; none: no sample is mixed.
    fn put_mixed(&self, device: &Device, found: Option<&MixedLabels>) -> Result<()> {
        match (&self.mixed, found) {
            (None, None) => Ok(()),
            (None, Some(_)) => Err(Error::Shape(Misfit::NotMadeFor {
                what: "mixed samples",
                option: "mixed",
            })),
            (Some([others, shares]), Some(found)) => {
                device.upload(others, &found.others)?;
                device.upload(shares, &found.shares)
            }
            (Some([others, shares]), None) => {
                device.upload(others, &vec![0u32; self.lanes])?;
                device.upload(shares, &vec![0f32; self.lanes])
            }
        }
    }

    /// Refuses targets of another kind, and a class for which the network has no logit: the loss would be read from
    /// another place.
    fn check(&self, targets: &Targets) -> Result<()> {
        let words = self.kind.words() * self.lanes;
        match (targets, self.kind) {
            (Targets::Labels(labels), TargetKind::Labels) if labels.len() == words => {
                known(labels, self.outputs)
            }
            (Targets::Mixed(mixed), TargetKind::Labels)
                if [mixed.labels.len(), mixed.others.len(), mixed.shares.len()] == [words; 3] =>
            {
                known(&mixed.labels, self.outputs)?;
                known(&mixed.others, self.outputs)
            }
            (Targets::Flags(flags), TargetKind::Flags(_)) if flags.len() == words => Ok(()),
            (Targets::Values(values), TargetKind::Values(_)) if values.len() == words => Ok(()),
            (found, kind) => Err(Error::Shape(Misfit::Unfit {
                found: format!(
                    "{} {} of a batch",
                    found.words(),
                    match found {
                        Targets::Labels(_) | Targets::Mixed(_) => "labels",
                        Targets::Flags(_) => "flags",
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

    fn weight(&self) -> Option<f64> {
        weight(&self.weights, self.count)
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
        slots.put_weights(device, &self.weights, self.count)?;
        slots.put_mixed(
            device,
            match &self.targets {
                Targets::Mixed(mixed) => Some(mixed),
                _ => None,
            },
        )?;
        device.upload(&slots.inputs, &self.inputs)?;
        match &self.targets {
            Targets::Labels(labels) => device.upload(&slots.targets, labels),
            Targets::Mixed(mixed) => device.upload(&slots.targets, &mixed.labels),
            Targets::Flags(numbers) | Targets::Values(numbers) => {
                device.upload(&slots.targets, numbers)
            }
        }
    }
}

/// The sum of the weights of the first `count` lanes, if there are any.
fn weight(weights: &[f32], count: usize) -> Option<f64> {
    let weights = weights.iter().take(count).map(|&w| f64::from(w));
    (weights.len() > 0).then(|| weights.sum())
}

/// Refuses a class for which the network has no logit.
fn known(labels: &[u32], outputs: usize) -> Result<()> {
    match labels.iter().position(|&label| label as usize >= outputs) {
        None => Ok(()),
        Some(sample) => Err(Error::Shape(Misfit::Label {
            sample,
            label: labels[sample],
            classes: outputs,
        })),
    }
}

/// A whole set of images on the device, and the program that makes a network's batches from it.
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

    /// Bytes of device memory that making a batch touches, including all images.
    pub fn bytes(&self) -> u64 {
        touched_bytes([&self.program], phase::DATA)
    }

    /// A batch of the images with these numbers.
    pub fn batch(&self, images: Vec<u32>, draws: Draws) -> ResidentBatch<'_> {
        ResidentBatch {
            resident: self,
            images,
            weights: Vec::new(),
            draws,
        }
    }
}

/// Numbers of resident images.
pub struct ResidentBatch<'a> {
    resident: &'a Resident,
    images: Vec<u32>,
    /// One per image; empty if all count the same.
    weights: Vec<f32>,
    draws: Draws,
}

impl ResidentBatch<'_> {
    /// Gives each image the weight that `weight` returns for its number.
    pub(crate) fn weigh(&mut self, weight: impl Fn(u32) -> f32) {
        self.weights = self.images.iter().map(|&image| weight(image)).collect();
    }
}

impl Feed for ResidentBatch<'_> {
    fn count(&self) -> usize {
        self.images.len()
    }

    fn weight(&self) -> Option<f64> {
        weight(&self.weights, self.images.len())
    }

    fn load(&self, device: &Device, slots: &Slots) -> Result<()> {
        slots.put_weights(device, &self.weights, self.images.len())?;
        slots.put_mixed(device, None)?;
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

    fn weight(&self) -> Option<f64> {
        match self {
            Part::Loaded(batch) => batch.weight(),
            Part::Resident(batch) => batch.weight(),
        }
    }

    fn load(&self, device: &Device, slots: &Slots) -> Result<()> {
        match self {
            Part::Loaded(batch) => batch.load(device, slots),
            Part::Resident(batch) => batch.load(device, slots),
        }
    }
}
