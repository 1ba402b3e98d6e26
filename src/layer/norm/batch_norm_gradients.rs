//! Batch norm backward, second part: from the tiles' sums to the parameters' gradients.

use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// Adds up the tiles of [`BatchNormSums`](super::BatchNormSums) in order: `sums[c]` over `dz`, `sums[channels + c]`
    /// over `dz * normalised input`, which are also the gradients of bias and weight.
    ///
    /// Shapes: `parts` `[channels][tiles][2]`, `gradient` that of [`Parameters`](crate::layer::Parameters), `sums`
    /// `[2][channels]`. Grid: [`Items`](crate::engine::Grid::Items) = channels.
    pub BatchNormGradients, BatchNormGradientsParams, BatchNormGradientsTwin =
        "layer/norm/batch_norm_gradients", shader!("layer/norm/batch_norm_gradients");
    params {
        /// Channels.
        channels: u32,
        /// Tiles per plane.
        tiles: u32,
        /// Start of the channels' weights.
        weight: u32,
        /// Start of their biases.
        bias: u32,
        /// 1: add to the existing gradients. `sums` is always written.
        accumulate: u32,
    }
    loops |p, _| looped(p.tiles, NONE);
    read parts: f32,
    write gradient: f32,
    write sums: f32,
}

impl BatchNormGradientsTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let [channels, tiles] = [p.channels, p.tiles].map(|n| n as usize);
        for c in 0..channels {
            let mut sums = [0f32; 2];
            let (parts, _) = self.parts[2 * c * tiles..][..2 * tiles].as_chunks::<2>();
            for tile in parts {
                sums[0] += tile[0];
                sums[1] += tile[1];
            }
            self.sums[c] = sums[0];
            self.sums[channels + c] = sums[1];
            for (first, sum) in [(p.bias, sums[0]), (p.weight, sums[1])] {
                let gradient = &mut self.gradient[first as usize + c];
                let before = if p.accumulate != 0 { *gradient } else { 0.0 };
                *gradient = before + sum;
            }
        }
    }
}
