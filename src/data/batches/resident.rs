//! A whole set of images on the device, as bytes: a batch then costs only the upload of its images' numbers.

use super::augment::{Augment, AugmentParams, AugmentState, SPAN};
use crate::data::augmentation::{Augmentation, Draws};
use crate::data::{ImageShape, Normalisation, Split};
use crate::engine::{Buffer, Class, Device, Grid, Plan, View};
use crate::error::{Error, Misfit, Result};
/// Bytes uploaded at a time, so that staging memory stays small.
const UPLOAD: usize = 16 << 20;
/// Size in words of a buffer that an [`AugmentState`] is uploaded to.
const STATE_WORDS: usize = size_of::<AugmentState>() / 4;

/// The images of a split on a device, with the kernel that makes batches of them.
///
/// [`record`](Self::record) puts the kernel at the head of a plan; before each run of the plan, [`load`](Self::load)
/// says which images to take. The batches equal those of a [`Loader`](crate::data::Loader), bit for bit.
pub struct ResidentImages {
    shape: ImageShape,
    lanes: usize,
    length: usize,
    image_words: usize,
    images: Buffer,
    classes: Buffer,
    table: Buffer,
    indices: Buffer,
    state: Buffer,
}

impl ResidentImages {
    /// Whether making batches here is faster than loading them: on a hardware GPU whose largest binding can hold the
    /// set.
    pub fn pays(device: &Device, split: &Split) -> bool {
        let bytes = (split.features().div_ceil(4) as u64 * 4).saturating_mul(split.len() as u64);
        device.is_hardware() && bytes <= device.largest_binding()
    }

    /// Uploads the images of `split`, of the given shape, for batches in rows of `lanes`.
    ///
    /// # Errors
    /// [`Error::Shape`] if shape, normalisation and images do not fit together, or what the device refuses.
    pub fn new(
        device: &Device,
        split: &Split,
        shape: ImageShape,
        normalisation: &Normalisation,
        lanes: usize,
    ) -> Result<Self> {
        if shape.features() != split.features() || lanes == 0 || split.is_empty() {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("{} images of {} bytes", split.len(), split.features()),
                expected: format!(
                    "batches of {} × {} × {} values in rows of {lanes}",
                    shape.channels, shape.height, shape.width
                ),
            }));
        }
        let table = normalisation.table(shape.channels)?.concat();
        let length = split.len();
        let image_words = split.features().div_ceil(4);
        let words = image_words.saturating_mul(length);
        let resident = Self {
            images: device.buffer("resident images", Class::Data, words)?,
            classes: device.buffer_with("resident labels", Class::Data, split.labels())?,
            table: device.buffer_with("normalisation", Class::Data, &table)?,
            indices: device.buffer("batch indices", Class::Data, lanes)?,
            state: device.buffer("augmentation state", Class::Scratch, STATE_WORDS)?,
            shape,
            lanes,
            length,
            image_words,
        };
        let at_once = (UPLOAD / 4 / image_words).max(1);
        for first in (0..length).step_by(at_once) {
            let end = length.min(first + at_once);
            let packed: Vec<u32> = (first..end).flat_map(|i| pack(split.image(i))).collect();
            let range = first * image_words..end * image_words;
            device.upload(&resident.images.range(range), &packed)?;
        }
        Ok(resident)
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no images; there is always one.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Records the kernel that makes a batch: `inputs` `[feature][lanes]` and `labels` `[lanes]`.
    ///
    /// # Errors
    /// A view is too short, or the augmentation does not suit the images.
    pub fn record(
        &self,
        plan: &mut Plan,
        augmentation: Augmentation,
        inputs: View,
        labels: View,
    ) -> Result<()> {
        let ImageShape {
            channels,
            height,
            width,
        } = self.shape;
        augmentation.check(self.shape, true)?;
        let (pad, flip) = augmentation.shift();
        let requested = [self.shape.features() * self.lanes, self.lanes];
        let given = [inputs.words(), labels.words()];
        if given[0] < requested[0] || given[1] < requested[1] {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("{given:?} words for inputs and labels"),
                expected: format!("a batch, which needs {requested:?}"),
            }));
        }
        let kernel = Augment {
            params: AugmentParams {
                channels: channels as u32,
                height: height as u32,
                width: width as u32,
                lanes: self.lanes as u32,
                image_words: self.image_words as u32,
                pad,
                flip: u32::from(flip),
            },
            state: self.state.all(),
            images: self.images.all(),
            classes: self.classes.all(),
            table: self.table.all(),
            indices: self.indices.all(),
            inputs,
            labels,
        };
        let items = channels * height * width.div_ceil(SPAN) * self.lanes;
        plan.dispatch(kernel, Grid::Items(items))
    }

    /// Sets the images of the next batch: their numbers in the split, at most `lanes` of them.
    ///
    /// # Errors
    /// [`Error::Shape`] for too many or no images, or for a number past the end; a lost device.
    pub fn load(&self, device: &Device, images: &[u32], draws: Draws) -> Result<()> {
        let count = images.len();
        if count == 0 || count > self.lanes {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("batches of {count} images"),
                expected: format!("rows of {}", self.lanes),
            }));
        }
        if let Some(past) = images.iter().find(|&&image| image as usize >= self.length) {
            return Err(Error::Shape(Misfit::NoSuch {
                what: "image",
                number: u64::from(*past),
                of: self.length,
            }));
        }
        let state = AugmentState {
            seed: draws.seed,
            epoch: draws.epoch,
            count: count as u32,
        };
        let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
        device.upload(&self.state.range(0..STATE_WORDS), words)?;
        device.upload(&self.indices.range(0..count), images)
    }
}

/// Four bytes per word, the first in the lowest bits; the last word is padded with zeros.
fn pack(bytes: &[u8]) -> impl Iterator<Item = u32> + '_ {
    bytes.chunks(4).map(|chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        u32::from_le_bytes(word)
    })
}
