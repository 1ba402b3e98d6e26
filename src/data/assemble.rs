//! One batch: its images gathered, normalised and transposed.

use std::sync::Arc;

use super::batch::{Batch, LoaderOptions, Order};
use super::{ImageShape, Normalisation, Split, shuffle};
use crate::error::{Error, Result};

/// Images transposed at once: 16 values of 4 bytes are one cache line of the batch's row, written in one go, while the
/// bytes of 16 images stream in.
const LANES: usize = 16;

/// Makes any batch of an epoch, independently of the others.
pub(super) struct Assembler {
    split: Arc<Split>,
    /// Image at each place of the epoch; `None` for the split's own order.
    order: Option<Vec<u32>>,
    /// Input for each pixel value, `[channel][pixel]`.
    table: Vec<[f32; 256]>,
    batch: usize,
    stride: usize,
}

impl Assembler {
    pub fn new(
        split: Arc<Split>,
        shape: ImageShape,
        normalisation: &Normalisation,
        options: &LoaderOptions,
    ) -> Result<Self> {
        let &LoaderOptions { batch, stride, .. } = options;
        if batch == 0 || stride < batch {
            return Err(Error::Shape(format!(
                "cannot load batches of {batch} images in rows of {stride}; a batch needs at least one image, and a row \
                 room for all of them"
            )));
        }
        if shape.features() != split.features() {
            return Err(Error::Shape(format!(
                "images of {} bytes are not of the shape {} × {} × {}, {} values",
                split.features(),
                shape.channels,
                shape.height,
                shape.width,
                shape.features()
            )));
        }
        if split.features().checked_mul(stride).is_none() {
            return Err(Error::Shape(format!(
                "a batch of {} features in rows of {stride} is larger than any memory; use a smaller batch",
                split.features()
            )));
        }
        let order = match options.order {
            Order::Sequential => None,
            // Split::new lets no more images in than 32 bits can number.
            Order::Shuffled { seed, epoch } => {
                Some(shuffle::permutation(split.len() as u32, seed, epoch))
            }
        };
        Ok(Self {
            table: normalisation.table(shape.channels)?,
            split,
            order,
            batch,
            stride,
        })
    }

    /// Number of batches, the last and smaller one included.
    pub fn batches(&self) -> u64 {
        self.split.batches(self.batch)
    }

    /// Batch `index`, which must be below [`batches`](Self::batches).
    pub fn assemble(&self, index: u64) -> Batch {
        let first = index as usize * self.batch;
        let count = self.batch.min(self.split.len() - first);
        let image_at = |lane: usize| match &self.order {
            Some(order) => order[first + lane] as usize,
            None => first + lane,
        };

        let mut inputs = vec![0.0; self.split.features() * self.stride];
        let plane = self.split.features() / self.table.len();
        for start in (0..count).step_by(LANES) {
            let width = LANES.min(count - start);
            let images: [&[u8]; LANES] = std::array::from_fn(|lane| match lane < width {
                true => self.split.image(image_at(start + lane)),
                false => &[],
            });
            for (feature, row) in inputs.chunks_exact_mut(self.stride).enumerate() {
                let table = &self.table[feature / plane];
                for (input, image) in row[start..start + width].iter_mut().zip(&images) {
                    *input = table[usize::from(image[feature])];
                }
            }
        }

        let mut labels = vec![0; self.stride];
        for (lane, label) in labels[..count].iter_mut().enumerate() {
            *label = self.split.label(image_at(lane)).into();
        }
        Batch {
            inputs,
            labels,
            count,
            index,
        }
    }
}
