//! Where samples come from: a trait that images in memory, image folders, vectors and your own sources implement.

use std::any::Any;
use std::fmt::Debug;

use xxhash_rust::xxh3::Xxh3;

use crate::data::augmentation::{Augmentation, Draws};
use crate::data::{ImageShape, TargetKind};
use crate::error::option::AUGMENT;
use crate::error::{Error, Result};

/// Samples for training or for testing, numbered from 0: in memory, in files, or made when they are needed.
///
/// [`read`](DataSource::read) is all that most sources need. Several threads call it at once, and for the same number,
/// seed and epoch it has to give the same sample, so that a run repeats. A source that supplies bytes, or that keeps
/// something from sample to sample, has its own [`Reader`].
pub trait DataSource: Any + Debug + Send + Sync {
    /// Number of samples, below 2³².
    fn len(&self) -> usize;

    /// Whether there are no samples.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of inputs of a sample.
    fn features(&self) -> usize;

    /// What a sample's outputs are compared with.
    fn targets(&self) -> TargetKind;

    /// The class of sample `number`, if samples have classes.
    fn label(&self, _number: usize) -> u32 {
        0
    }

    /// The weight of sample `number` in training: the loss of a batch is the weighted mean over its samples. Weights
    /// are 0 or above; metrics and tests ignore them.
    fn weight(&self, _number: usize) -> f32 {
        1.0
    }

    /// Whether weights differ; if not, they are not requested.
    fn is_weighted(&self) -> bool {
        false
    }

    /// Reads sample `number`: writes all of `inputs`, `[feature]`, before normalisation, and all of `values` if targets
    /// are [flags](TargetKind::Flags) or [values](TargetKind::Values). `draws` distinguishes epochs, for sources that
    /// vary their samples.
    ///
    /// # Errors
    /// The sample cannot be read: this ends the run.
    fn read(
        &self,
        number: usize,
        draws: Draws,
        inputs: &mut [f32],
        values: &mut [f32],
    ) -> Result<()>;

    /// Checks that it can vary samples of this shape like that. Your own source varies them in
    /// [`read`](DataSource::read).
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

    /// Begins to read samples, at most `most` at a time: anew for each batch, on the thread that makes it.
    ///
    /// # Errors
    /// The source cannot be opened.
    fn open<'a>(&'a self, reading: &'a Reading, most: usize) -> Result<Box<dyn Reader + 'a>> {
        Ok(Box::new(Plain::new(self, reading.draws, most)))
    }

    /// A fingerprint that distinguishes these samples from others, kept in checkpoints. By default it is taken over
    /// every sample as read with no seed, which needs a pass over all of them.
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

/// How to read samples in an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// Their shape.
    pub shape: ImageShape,
    /// How they are varied.
    pub augmentation: Augmentation,
    /// What the random numbers for that are a function of.
    pub draws: Draws,
    /// Whether another sample takes the place of one that cannot be read, if that is not an error; otherwise it is left
    /// out.
    pub replaces_bad: bool,
}

/// Reads a few samples at a time.
pub trait Reader {
    /// Prepares the samples with these numbers, and returns the numbers of those that are ready, in order: all except
    /// those that are left out.
    ///
    /// # Errors
    /// A sample that cannot be read.
    fn fetch(&mut self, numbers: &[usize]) -> Result<Vec<usize>>;

    /// The inputs of the sample at `place` among those that are ready; `number` is its number.
    fn inputs(&self, place: usize, number: usize) -> Inputs<'_>;

    /// Its values, if targets are values.
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

/// How many numbers a sample of this kind is compared with, besides a class.
pub(in crate::data) fn values_of(kind: TargetKind) -> usize {
    match kind {
        TargetKind::Labels => 0,
        TargetKind::Flags(count) | TargetKind::Values(count) => count,
    }
}

/// Reads through [`DataSource::read`].
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
