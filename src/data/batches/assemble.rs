//! One batch: its samples read, normalised and transposed.

use super::batch::{Batch, LoaderOptions, Order};
use crate::data::augmentation::{Mixed, Mixing, Operations};
use crate::data::sources::{DataSource, Inputs, Reader, Reading, values_of};
use crate::data::{ImageShape, Images, MixedLabels, Normalisation, Targets};
use crate::error::option::BATCH;
use crate::error::{Error, Misfit, Refusal, Result};

/// Samples transposed at once: 16 values of 4 bytes are one cache line of the batch's row, written in one go while the
/// bytes of 16 images stream in.
const LANES: usize = 16;

/// Makes any batch of an epoch, independently of the other batches.
pub(in crate::data) struct Assembler {
    images: Images,
    reading: Reading,
    operations: Operations,
    mixing: Mixing,
    /// The sample at each place of the epoch; `None` for the source's own order.
    order: Option<Vec<u32>>,
    /// The input for each byte, `[channel][byte]`.
    table: Vec<[f32; 256]>,
    normalisation: Normalisation,
    batch: usize,
    lanes: usize,
}

impl Assembler {
    pub fn new(
        images: Images,
        shape: ImageShape,
        normalisation: &Normalisation,
        options: &LoaderOptions,
    ) -> Result<Self> {
        let &LoaderOptions { batch, lanes, .. } = options;
        let source = images.source();
        if batch == 0 || lanes < batch {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("batches of {batch} samples"),
                expected: format!(
                    "rows of {lanes}: a batch needs at least one sample, and a row room for all of them"
                ),
            }));
        }
        let features = source.features();
        if shape.features() != features {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("samples of {features} bytes"),
                expected: format!(
                    "the shape {} × {} × {}, {} values",
                    shape.channels,
                    shape.height,
                    shape.width,
                    shape.features()
                ),
            }));
        }
        if features.checked_mul(lanes).is_none() {
            return Err(Error::Shape(Misfit::TooMany {
                what: format!("numbers in a batch of {lanes} lanes"),
                count: format!("{features} times {lanes}"),
                most: u64::MAX,
                way_out: format!("a smaller {BATCH}"),
            }));
        }
        if u32::try_from(source.len()).is_err() {
            return Err(Error::Shape(Misfit::TooMany {
                what: "samples".to_owned(),
                count: source.len().to_string(),
                most: u32::MAX.into(),
                way_out: String::new(),
            }));
        }
        options.share.check()?;
        let augmentation = options.augmentation;
        source.check(augmentation, shape)?;
        Ok(Self {
            table: normalisation.table(shape.channels)?,
            normalisation: normalisation.clone(),
            order: match options.order {
                Order::Sequential => None,
                order => Some(order.samples(&images)),
            },
            reading: Reading {
                shape,
                augmentation,
                draws: options.order.draws(),
                replaces_bad: options.order != Order::Sequential,
            },
            operations: options.operations,
            mixing: options.mixing,
            images,
            batch,
            lanes,
        })
    }

    /// Number of samples in the epoch.
    fn len(&self) -> usize {
        self.images.len()
    }

    /// Number of batches, including the last, smaller one.
    pub fn batches(&self) -> u64 {
        self.len().div_ceil(self.batch) as u64
    }

    /// Size of one batch in bytes.
    pub fn bytes(&self) -> usize {
        (self.reading.shape.features() * self.lanes).saturating_mul(size_of::<f32>())
    }

    /// Batch `index`, which must be below [`batches`](Self::batches).
    ///
    /// # Errors
    /// A sample cannot be read, or the source breaks its contract.
    pub fn assemble(&self, index: u64) -> Result<Batch> {
        let first = index as usize * self.batch;
        let count = self.batch.min(self.len() - first);
        let sample_at = |lane: usize| {
            let place = first + lane;
            self.order
                .as_ref()
                .map_or(place, |order| order[place] as usize)
        };
        let source = self.images.source();
        let mut inputs = vec![0.0; self.reading.shape.features() * self.lanes];
        let mut targets = Targets::zeros(source.targets(), self.lanes);
        let mut weights = match source.is_weighted() {
            true => vec![0.0; self.lanes],
            false => Vec::new(),
        };
        let mut reader = source.open(&self.reading, LANES)?;
        let mut numbers = Vec::with_capacity(count);
        for start in (0..count).step_by(LANES) {
            let width = LANES.min(count - start);
            let asked: [usize; LANES] =
                std::array::from_fn(|lane| sample_at(start + lane.min(width - 1)));
            let end = numbers.len();
            let ready = reader.fetch(&asked[..width])?;
            if ready.len() > width || ready.iter().any(|&number| number >= self.images.len()) {
                return Err(broken(source, "gives samples that it was not asked for"));
            }
            self.put_inputs(source, reader.as_ref(), &ready, end, &mut inputs)?;
            self.put_targets(source, reader.as_ref(), &ready, end, &mut targets)?;
            for (weight, &number) in weights.iter_mut().skip(end).zip(&ready) {
                *weight = source.weight(number);
            }
            numbers.extend(ready.iter().map(|&number| number as u32));
        }
        let mixed = Mixed {
            lanes: self.lanes,
            inputs: &mut inputs,
            targets: &mut targets,
            weights: &mut weights,
        };
        let Reading { draws, shape, .. } = self.reading;
        self.mixing.apply((draws, shape), &numbers, mixed);
        Ok(Batch {
            inputs,
            targets,
            weights,
            count: numbers.len(),
            index,
        })
    }

    /// Writes the normalised samples that are ready to the lanes from `lane` on.
    fn put_inputs(
        &self,
        source: &dyn DataSource,
        reader: &dyn Reader,
        ready: &[usize],
        lane: usize,
        inputs: &mut [f32],
    ) -> Result<()> {
        let features = self.reading.shape.features();
        let plane = features / self.table.len();
        let varied = self.vary(reader, ready)?;
        let (mut bytes, mut reals) = ([&[] as &[u8]; LANES], [&[] as &[f32]; LANES]);
        let (mut of_bytes, mut of_reals) = (0, 0);
        for (place, &number) in ready.iter().enumerate() {
            match reader.inputs(place, number) {
                Inputs::Bytes(sample) if sample.len() == features => {
                    bytes[place] = varied.get(place).map_or(sample, Vec::as_slice);
                    of_bytes += 1;
                }
                Inputs::Reals(sample) if sample.len() == features => {
                    reals[place] = sample;
                    of_reals += 1;
                }
                _ => return Err(broken(source, "gives samples of another size than it says")),
            }
        }
        let members = lane..lane + ready.len();
        let rows = inputs.chunks_exact_mut(self.lanes).enumerate();
        if of_bytes == ready.len() {
            for (feature, row) in rows {
                let table = &self.table[feature / plane];
                for (input, image) in row[members.clone()].iter_mut().zip(&bytes) {
                    *input = table[usize::from(image[feature])];
                }
            }
        } else if of_reals == ready.len() {
            let Normalisation { mean, std } = &self.normalisation;
            for (feature, row) in rows {
                let (mean, std) = (mean[feature / plane], std[feature / plane]);
                for (input, sample) in row[members.clone()].iter_mut().zip(&reals) {
                    *input = (sample[feature] - mean) / std;
                }
            }
        } else {
            return Err(broken(source, "gives bytes and numbers at once"));
        }
        Ok(())
    }

    /// The samples that are ready, after the operations, if there are any.
    fn vary(&self, reader: &dyn Reader, ready: &[usize]) -> Result<Vec<Vec<u8>>> {
        if self.operations.is_none() {
            return Ok(Vec::new());
        }
        let Reading { draws, shape, .. } = self.reading;
        let of = |(place, &number): (usize, &usize)| match reader.inputs(place, number) {
            Inputs::Bytes(sample) => {
                let mut pixels = sample.to_vec();
                (self.operations).vary(&mut pixels, shape, draws, number as u32);
                Ok(pixels)
            }
            Inputs::Reals(_) => Err(Error::refused(Refusal::NotBytes)),
        };
        ready.iter().enumerate().map(of).collect()
    }

    /// Writes the targets of the samples that are ready to the lanes from `lane` on.
    fn put_targets(
        &self,
        source: &dyn DataSource,
        reader: &dyn Reader,
        ready: &[usize],
        lane: usize,
        targets: &mut Targets,
    ) -> Result<()> {
        match targets {
            // Samples are mixed once all of them are there.
            Targets::Labels(labels) | Targets::Mixed(MixedLabels { labels, .. }) => {
                for (label, &number) in labels[lane..].iter_mut().zip(ready) {
                    *label = source.label(number);
                }
            }
            Targets::Flags(rows) | Targets::Values(rows) => {
                for (place, &number) in ready.iter().enumerate() {
                    let values = reader.values(place, number);
                    if values.len() != values_of(source.targets()) {
                        return Err(broken(source, "gives other numbers of values than it says"));
                    }
                    for (row, &value) in rows.chunks_exact_mut(self.lanes).zip(values) {
                        row[lane + place] = value;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The error for a source that breaks its contract.
fn broken(source: &dyn DataSource, what: &str) -> Error {
    Error::Shape(Misfit::Samples {
        what: format!(
            "a data source of {} samples of {} inputs",
            source.len(),
            source.features()
        ),
        why: what.to_owned(),
    })
}
