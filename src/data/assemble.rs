//! One batch: its images fetched, normalised and transposed.

use super::batch::{Batch, LoaderOptions, Order};
use super::fetch::{Fetch, Recipe};
use super::{ImageShape, Images, Normalisation};
use crate::error::{Error, Result};

/// Images transposed at once: 16 values of 4 bytes are one cache line of the batch's row, written in one go, while the
/// bytes of 16 images stream in.
const LANES: usize = 16;

/// Makes any batch of an epoch, independently of the others.
pub(super) struct Assembler {
    recipe: Recipe,
    /// Image at each place of the epoch; `None` for the split's own order.
    order: Option<Vec<u32>>,
    /// Input for each pixel value, `[channel][pixel]`.
    table: Vec<[f32; 256]>,
    batch: usize,
    stride: usize,
}

impl Assembler {
    pub fn new(
        images: Images,
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
        let features = images.features();
        if shape.features() != features {
            return Err(Error::Shape(format!(
                "images of {features} bytes are not of the shape {} × {} × {}, {} values",
                shape.channels,
                shape.height,
                shape.width,
                shape.features()
            )));
        }
        if features.checked_mul(stride).is_none() {
            return Err(Error::Shape(format!(
                "a batch of {features} features in rows of {stride} is larger than any memory; use a smaller batch"
            )));
        }
        let augmentation = options.augmentation;
        augmentation.check(shape, images.memory().is_some())?;
        Ok(Self {
            table: normalisation.table(shape.channels)?,
            order: match options.order {
                Order::Sequential => None,
                Order::Shuffled { .. } => Some(options.order.images(images.len())),
            },
            recipe: Recipe {
                images,
                shape,
                augmentation,
                draws: options.order.draws(),
                replaces_bad: matches!(options.order, Order::Shuffled { .. }),
            },
            batch,
            stride,
        })
    }

    /// Number of batches, the last and smaller one included.
    pub fn batches(&self) -> u64 {
        self.recipe.images.batches(self.batch)
    }

    /// Bytes of one batch.
    pub fn bytes(&self) -> usize {
        (self.recipe.shape.features() * self.stride).saturating_mul(size_of::<f32>())
    }

    /// Batch `index`, which must be below [`batches`](Self::batches).
    ///
    /// # Errors
    /// A file that cannot be read or decoded.
    pub fn assemble(&self, index: u64) -> Result<Batch> {
        let first = index as usize * self.batch;
        let count = self.batch.min(self.recipe.images.len() - first);
        let image_at = |lane: usize| match &self.order {
            Some(order) => order[first + lane] as usize,
            None => first + lane,
        };

        let features = self.recipe.shape.features();
        let mut inputs = vec![0.0; features * self.stride];
        let plane = features / self.table.len();
        let mut fetch = Fetch::new(&self.recipe, LANES);
        let mut labels = vec![0; self.stride];
        let mut end = 0;
        for start in (0..count).step_by(LANES) {
            let width = LANES.min(count - start);
            let ready = fetch.fill((start..start + width).map(image_at))?;
            let images: [&[u8]; LANES] = std::array::from_fn(|lane| match ready.get(lane) {
                Some(&number) => fetch.image(lane, number),
                None => &[],
            });
            let lanes = end..end + ready.len();
            for (feature, row) in inputs.chunks_exact_mut(self.stride).enumerate() {
                let table = &self.table[feature / plane];
                for (input, image) in row[lanes.clone()].iter_mut().zip(&images) {
                    *input = table[usize::from(image[feature])];
                }
            }
            for (label, &number) in labels[lanes.clone()].iter_mut().zip(&ready) {
                *label = self.recipe.images.label(number);
            }
            end = lanes.end;
        }
        Ok(Batch {
            inputs,
            labels,
            count: end,
            index,
        })
    }
}
