//! One batch, and how a split is divided into batches.

use super::{balanced, shuffle};
use crate::data::Images;
use crate::data::augmentation::{Augmentation, Draws, Mixing, Operations};
use crate::data::targets::Targets;
use crate::error::{Error, Misfit, Result};

/// Samples with their targets, as the device takes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// Normalised inputs, `[feature][lanes]`; the lanes from `count` on hold zeros.
    pub inputs: Vec<f32>,
    /// Classes `[lanes]`, or flags or values `[value][lanes]`; the lanes from `count` on hold zeros.
    pub targets: Targets,
    /// The weight of each sample in training, `[lanes]`; empty if all count the same.
    pub weights: Vec<f32>,
    /// Number of samples. It is smaller than requested in the epoch's last batch, and if images that cannot be read are
    /// left out.
    pub count: usize,
    /// Number of this batch in its epoch, counted from 0.
    pub index: u64,
}

impl Batch {
    /// The classes, for mixed samples those with the larger share; empty if a sample does not have a single one.
    pub fn labels(&self) -> &[u32] {
        match &self.targets {
            Targets::Labels(labels) => labels,
            Targets::Mixed(mixed) => &mixed.labels,
            Targets::Flags(_) | Targets::Values(_) => &[],
        }
    }
}

/// The order of the images in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As in the files.
    Sequential,
    /// Random; the same for the same seed and epoch on every machine.
    Shuffled {
        /// The run's seed.
        seed: u32,
        /// Number of the epoch: each epoch has another order.
        epoch: u32,
    },
    /// Random, with each class equally often: samples of small classes come several times, and some of large classes
    /// not at all.
    Balanced {
        /// The run's seed.
        seed: u32,
        /// Number of the epoch: each epoch has another order.
        epoch: u32,
    },
}

impl Order {
    /// The sample at each place of an epoch of these samples, as 32-bit numbers.
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

/// The batches of one of several processes that train together.
///
/// Batches come in groups, which are the parts of one larger batch. Of each group, process `index` takes those with the
/// numbers `index`, `index + of`, `index + 2 * of`, and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// The number of the process, counted from 0.
    pub index: usize,
    /// How many processes there are.
    pub of: usize,
    /// Number of batches in a group; the last group of an epoch may have fewer.
    pub group: usize,
}

impl Default for Share {
    fn default() -> Self {
        Share {
            index: 0,
            of: 1,
            group: 1,
        }
    }
}

impl Share {
    /// How many of the first `batches` of a group are this process's.
    pub fn of_group(self, batches: usize) -> usize {
        batches
            .min(self.group)
            .saturating_sub(self.index)
            .div_ceil(self.of.max(1))
    }

    /// How many of `batches` in a row are this process's; they begin with a group.
    pub fn of_all(self, batches: u64) -> u64 {
        let group = self.group.max(1) as u64;
        let rest = self.of_group((batches % group) as usize);
        batches / group * self.of_group(self.group) as u64 + rest as u64
    }

    /// The number of this process's batch `number`, counted from the first batch of a group.
    pub fn batch(self, number: u64) -> u64 {
        let own = self.of_group(self.group).max(1) as u64;
        number / own * self.group as u64 + self.index as u64 + number % own * self.of as u64
    }

    /// Checks that there is such a process.
    pub(in crate::data) fn check(self) -> Result<()> {
        match self.index < self.of && self.group > 0 {
            true => Ok(()),
            false => Err(Error::Shape(Misfit::NoSuch {
                what: "process",
                number: self.index as u64,
                of: self.of,
            })),
        }
    }
}

/// How a [`Loader`](crate::data::Loader) divides a split into batches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoaderOptions {
    /// The order of the images.
    pub order: Order,
    /// What happens to each image.
    pub augmentation: Augmentation,
    /// Further random operations on it, before it is normalised.
    pub operations: Operations,
    /// Which samples of a batch are mixed with each other.
    pub mixing: Mixing,
    /// Images per batch, at least 1.
    pub batch: usize,
    /// Lanes per row of [`Batch::inputs`], at least `batch`.
    pub lanes: usize,
    /// Which of the batches: all of them, or those of one of several processes.
    pub share: Share,
    /// The batch to start with, the first of a group: 0, or the one at which an interrupted epoch continues. It changes
    /// no batch.
    pub first_batch: u64,
    /// Worker threads; 0 means 1. They change no batch.
    pub workers: usize,
}

impl LoaderOptions {
    /// Batches of `batch` unchanged images, in rows rounded up to a multiple of 4, starting at the first one, in the
    /// files' order, by one worker.
    pub fn of_batch(batch: usize) -> Self {
        Self {
            order: Order::Sequential,
            augmentation: Augmentation::None,
            operations: Operations::default(),
            mixing: Mixing::default(),
            share: Share::default(),
            batch,
            lanes: batch.checked_next_multiple_of(4).unwrap_or(usize::MAX),
            first_batch: 0,
            workers: 1,
        }
    }
}
