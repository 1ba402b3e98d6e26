//! One batch, and how a split is cut into them.

use super::augmentation::{Augmentation, Draws};
use super::targets::Targets;
use super::{Images, balanced, shuffle};
use crate::error::{Error, Misfit, Result};

/// Samples with their targets, as the device takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalised inputs, `[feature][lanes]`; the lanes from `count` on hold zeros.
    pub inputs: Vec<f32>,
    /// Classes `[lanes]`, or flags or values `[value][lanes]`; the lanes from `count` on hold zeros.
    pub targets: Targets,
    /// What each sample counts in training, `[lanes]`; empty where all count the same.
    pub weights: Vec<f32>,
    /// Number of samples. Less than asked for in the epoch's last batch, and where images that cannot be read are left
    /// out.
    pub count: usize,
    /// Number of this batch in its epoch, counted from 0.
    pub index: u64,
}

impl Batch {
    /// The classes; none where a sample has no single one.
    pub fn labels(&self) -> &[u32] {
        match &self.targets {
            Targets::Labels(labels) => labels,
            Targets::Flags(_) | Targets::Values(_) => &[],
        }
    }
}

/// The order of the images in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As they are in the files.
    Sequential,
    /// By chance; the same for the same seed and epoch, on every machine.
    Shuffled {
        /// The run's seed.
        seed: u32,
        /// Number of the epoch: each has another order.
        epoch: u32,
    },
    /// By chance, each class as often as any other: samples of small classes come several times, of large ones some not
    /// at all.
    Balanced {
        /// The run's seed.
        seed: u32,
        /// Number of the epoch: each has another order.
        epoch: u32,
    },
}

impl Order {
    /// The sample at each place of an epoch of these samples, numbered by 32 bits.
    pub fn samples(self, of: &Images) -> Vec<u32> {
        match self {
            Order::Sequential => (0..of.len() as u32).collect(),
            Order::Shuffled { seed, epoch } => shuffle::permutation(of.len() as u32, seed, epoch),
            Order::Balanced { seed, epoch } => {
                balanced::order((0..of.len()).map(|number| of.label(number)), seed, epoch)
            }
        }
    }

    /// What the augmentation's random numbers are a function of: seed and epoch, both 0 in the files' order.
    pub fn draws(self) -> Draws {
        match self {
            Order::Sequential => Draws::default(),
            Order::Shuffled { seed, epoch } | Order::Balanced { seed, epoch } => {
                Draws { seed, epoch }
            }
        }
    }
}

/// A part of an epoch's samples, for one of several processes that train together.
///
/// The samples are dealt like cards, in the order of the epoch: each is in one part, and no part has two more than
/// another. Where a process takes batches of `n` samples, the batches of the same number of `of` processes together are
/// the batch of that number of a single process that takes `n * of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its number, counted from 0.
    pub index: usize,
    /// How many parts there are.
    pub of: usize,
}

impl Default for Share {
    fn default() -> Self {
        Share { index: 0, of: 1 }
    }
}

impl Share {
    /// Samples of this part, of so many in all.
    pub fn of_all(self, samples: usize) -> usize {
        samples.saturating_sub(self.index).div_ceil(self.of.max(1))
    }

    /// The place in the epoch of sample `place` of this part.
    pub(super) fn place(self, place: usize) -> usize {
        place * self.of + self.index
    }

    /// Whether there is such a part.
    pub(super) fn check(self) -> Result<()> {
        match self.index < self.of {
            true => Ok(()),
            false => Err(Error::Shape(Misfit::NoSuch {
                what: "part",
                number: self.index as u64,
                of: self.of,
            })),
        }
    }
}

/// How a [`Loader`](super::Loader) cuts a split into batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoaderOptions {
    /// The order of the images.
    pub order: Order,
    /// What happens to each image.
    pub augmentation: Augmentation,
    /// Images in a batch, at least 1.
    pub batch: usize,
    /// Lanes in a row of [`Batch::inputs`], at least `batch`.
    pub lanes: usize,
    /// Which part of the samples: all, or one process's of several.
    pub share: Share,
    /// The batch to start with: 0, or the one that an interrupted epoch goes on with. It changes no batch.
    pub first_batch: u64,
    /// Worker threads; 0 means 1. They change no batch.
    pub workers: usize,
}

impl LoaderOptions {
    /// Batches of that many images as they are, in rows rounded up to a multiple of 4, from the first one on, in the
    /// files' order, by one worker.
    pub fn of_batch(batch: usize) -> Self {
        Self {
            order: Order::Sequential,
            augmentation: Augmentation::None,
            share: Share::default(),
            batch,
            lanes: batch.checked_next_multiple_of(4).unwrap_or(usize::MAX),
            first_batch: 0,
            workers: 1,
        }
    }
}
