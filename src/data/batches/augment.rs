//! Batches made on the device from a set that it holds as bytes.

use rayon::prelude::*;

use crate::data::augmentation::Draws;
use crate::engine::loops::{NONE, looped};
use crate::threads::DealOut;

/// Pixels that one invocation of the kernel makes.
pub(in crate::data) const SPAN: usize = 8;

crate::uniform! {
    /// The uniform `state` of [`struct@Augment`], rewritten for every batch.
    pub struct AugmentState {
        /// The run's seed.
        seed: u32,
        /// Number of the epoch.
        epoch: u32,
        /// Images in the batch: lanes from here on are padding.
        count: u32,
    }
}

crate::kernel! {
    /// Border, random crop, mirroring and normalisation of the batch's images, with the same bits as
    /// [`Loader`](crate::data::Loader)'s: row, column and mirroring are drawn from [`random`](crate::engine::random::random)
    /// at (seed, epoch, stream `Augmentation`, 0, image), and `table` turns a pixel into an input.
    ///
    /// Shapes: `images` `[images][image_words]`, four bytes of `[channel][y][x]` per word, the first in the lowest
    /// bits; `classes` `[images]`; `table` `[channels][256]`; `indices` `[lanes]`, the images to take; `inputs`
    /// `[channel][y][x][lanes]` and `labels` `[lanes]`, zero in the lanes from `state.count` on. Grid:
    /// [`Items`](crate::engine::Grid::Items) = channels × height × ⌈width / 8⌉ × lanes. Bound by writing `inputs`.
    pub Augment, AugmentParams, AugmentTwin = "data/augment", shader!("data/augment");
    params {
        /// Colour planes.
        channels: u32,
        /// Rows of a plane.
        height: u32,
        /// Columns of a plane.
        width: u32,
        /// Lanes.
        lanes: u32,
        /// Words of an image.
        image_words: u32,
        /// Width of the black border on each side that a crop can reach into, in pixels.
        pad: u32,
        /// 1: mirror every second image on average, at random.
        flip: u32,
    }
    loops |_, _| looped(SPAN as u32, NONE);
    uniform state: AugmentState,
    read images: u32,
    read classes: u32,
    read table: f32,
    read indices: u32,
    write inputs: f32,
    write labels: u32,
}

impl AugmentTwin<'_> {
    fn run(self) {
        let p = self.params;
        let [height, width, lanes] = [p.height, p.width, p.lanes].map(|n| n as usize);
        let count = (self.state.count as usize).min(lanes);
        let draws = Draws {
            seed: self.state.seed,
            epoch: self.state.epoch,
        };
        let places = 2 * p.pad + 1;
        let members: Vec<_> = (self.indices[..count].iter())
            .map(|&image| {
                let place = draws.place(image, places, places, p.flip != 0);
                let words = image as usize * p.image_words as usize;
                (&self.images[words..][..p.image_words as usize], place)
            })
            .collect();

        for (lane, label) in self.labels[..lanes].iter_mut().enumerate() {
            *label = match lane < count {
                true => self.classes[self.indices[lane] as usize],
                false => 0,
            };
        }
        let rows = p.channels as usize * height;
        self.inputs[..rows * width * lanes]
            .par_chunks_exact_mut(width * lanes)
            .enumerate()
            .deal_out(|(row, inputs)| {
                let table = &self.table[row / height * 256..][..256];
                for (x, inputs) in inputs.chunks_exact_mut(lanes).enumerate() {
                    let (batch, padding) = inputs.split_at_mut(count);
                    padding.fill(0.0);
                    for (input, (image, place)) in batch.iter_mut().zip(&members) {
                        let x = if place.flip { width - 1 - x } else { x };
                        let y = (row % height + place.top as usize).wrapping_sub(p.pad as usize);
                        let x = (x + place.left as usize).wrapping_sub(p.pad as usize);
                        let pixel = match y < height && x < width {
                            true => byte(image, (row / height * height + y) * width + x),
                            false => 0,
                        };
                        *input = table[pixel];
                    }
                }
            });
    }
}

/// Byte `at` of words that hold four bytes each.
fn byte(words: &[u32], at: usize) -> usize {
    (words[at / 4] >> (at % 4 * 8) & 0xff) as usize
}
