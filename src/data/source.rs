//! Where samples come from: a trait that images in memory, image folders, vectors and sources of your own implement
//! alike.

use std::any::Any;
use std::fmt::Debug;

use xxhash_rust::xxh3::Xxh3;

use super::augmentation::{Augmentation, Draws};
use super::{ImageShape, TargetKind};
use crate::error::option::AUGMENT;
use crate::error::{Error, Result};

/// Samples for training or for testing, numbered from 0: in memory, in files, or made when they are needed.
///
/// [`read`](DataSource::read) is all that most need. It is called by several threads at once, and for the same number,
/// seed and epoch has to give the same sample, so that a run repeats. A source that hands over bytes, or that keeps
/// something from sample to sample, has a [`Reader`] of its own.
pub trait DataSource: Any + Debug + Send + Sync {
    /// Number of samples, below 2³².
    fn len(&self) -> usize;

    /// Whether there is no sample at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Inputs of a sample.
    fn features(&self) -> usize;

    /// What a sample's outputs are compared with.
    fn targets(&self) -> TargetKind;

    /// The class of sample `number`, where samples have classes.
    fn label(&self, _number: usize) -> u32 {
        0
    }

    /// What sample `number` counts in training: the loss of a batch is its samples' mean with these weights. Such
    /// weights are 0 or above; no metric and no test knows them.
    fn weight(&self, _number: usize) -> f32 {
        1.0
    }

    /// Whether weights differ: else nobody asks for them.
    fn is_weighted(&self) -> bool {
        false
    }

    /// Reads sample `number`: writes all of `inputs`, `[feature]`, before normalisation, and of `values` where targets
    /// are [flags](TargetKind::Flags) or [values](TargetKind::Values). `draws` tells epochs apart, for sources that
    /// vary their samples.
    ///
    /// # Errors
    /// A sample that cannot be read: it ends the run.
    fn read(
        &self,
        number: usize,
        draws: Draws,
        inputs: &mut [f32],
        values: &mut [f32],
    ) -> Result<()>;

    /// Whether it can vary samples of this shape so. A source of your own varies them in [`read`](DataSource::read).
    ///
    /// # Errors
    /// It cannot.
    fn check(&self, augmentation: Augmentation, _shape: ImageShape) -> Result<()> {
        match augmentation {
            Augmentation::None => Ok(()),
            _ => Err(Error::Value {
                option: AUGMENT.0,
                must: "must be none where samples are numbers".to_owned(),
                value: augmentation.name().unwrap_or("another").to_owned(),
            }),
        }
    }

    /// Begins to read samples, at most so many at a time: for each batch anew, on the thread that makes it.
    ///
    /// # Errors
    /// A source that cannot be opened.
    fn open<'a>(&'a self, reading: &'a Reading, most: usize) -> Result<Box<dyn Reader + 'a>> {
        Ok(Box::new(Plain::new(self, reading.draws, most)))
    }

    /// What tells these samples from others: a checkpoint keeps it. By default over every sample as it is read with no
    /// seed, which takes a pass over all of them.
    ///
    /// # Errors
    /// A sample that cannot be read.
    fn fingerprint(&self) -> Result<String> {
        let mut hash = Xxh3::new();
        let mut inputs = vec![0.0; self.features()];
        let mut values = vec![0.0; values_of(self.targets())];
        for number in 0..self.len() {
            self.read(number, Draws::default(), &mut inputs, &mut values)?;
            hash.update(&self.label(number).to_le_bytes());
            hash.update(bytemuck::cast_slice(&inputs));
            hash.update(bytemuck::cast_slice(&values));
        }
        Ok(format!("{:032x}", hash.digest128()))
    }
}

/// How samples are to be read in an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// Their shape.
    pub shape: ImageShape,
    /// How they are varied.
    pub augmentation: Augmentation,
    /// What the random numbers of that are a function of.
    pub draws: Draws,
    /// Whether another sample takes the place of one that cannot be read, where that is no error: else it is left out.
    pub replaces_bad: bool,
}

/// A few samples at a time.
pub trait Reader {
    /// Gets the samples with these numbers ready, and returns the numbers of those that are, in their order: all but
    /// those that are left out.
    ///
    /// # Errors
    /// A sample that cannot be read.
    fn fetch(&mut self, numbers: &[usize]) -> Result<Vec<usize>>;

    /// The inputs of the sample at `place` among those that are ready, which has this number.
    fn inputs(&self, place: usize, number: usize) -> Inputs<'_>;

    /// Its values, where targets are values.
    fn values(&self, _place: usize, _number: usize) -> &[f32] {
        &[]
    }
}

/// The inputs of a sample, `[channel][y][x]`, before normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Inputs<'a> {
    /// Bytes: 255 stands for 1.
    Bytes(&'a [u8]),
    /// Numbers.
    Reals(&'a [f32]),
}

/// Numbers that a sample of this kind is compared with, besides a class.
pub(super) fn values_of(kind: TargetKind) -> usize {
    match kind {
        TargetKind::Labels => 0,
        TargetKind::Flags(count) | TargetKind::Values(count) => count,
    }
}

/// Reads by [`DataSource::read`].
struct Plain<'a, S: ?Sized> {
    source: &'a S,
    draws: Draws,
    inputs: Vec<f32>,
    values: Vec<f32>,
}

impl<'a, S: DataSource + ?Sized> Plain<'a, S> {
    fn new(source: &'a S, draws: Draws, most: usize) -> Self {
        Plain {
            draws,
            inputs: vec![0.0; most * source.features()],
            values: vec![0.0; most * values_of(source.targets())],
            source,
        }
    }
}

impl<S: DataSource + ?Sized> Reader for Plain<'_, S> {
    fn fetch(&mut self, numbers: &[usize]) -> Result<Vec<usize>> {
        let (features, values) = (self.source.features(), values_of(self.source.targets()));
        for (place, &number) in numbers.iter().enumerate() {
            let inputs = &mut self.inputs[place * features..][..features];
            let values = &mut self.values[place * values..][..values];
            self.source.read(number, self.draws, inputs, values)?;
        }
        Ok(numbers.to_vec())
    }

    fn inputs(&self, place: usize, _: usize) -> Inputs<'_> {
        let features = self.source.features();
        Inputs::Reals(&self.inputs[place * features..][..features])
    }

    fn values(&self, place: usize, _: usize) -> &[f32] {
        let values = values_of(self.source.targets());
        &self.values[place * values..][..values]
    }
}
