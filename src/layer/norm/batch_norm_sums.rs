//! Batch norm backward, first part: each tile's sums of the gradient, and of the gradient times the normalised input.

use rayon::prelude::*;

use super::batch_norm_by_channel::{backward, enough, idle};
use super::batch_norm_tiles::SumsTile;
use super::lanes::tile;
use super::shared::mask;
use crate::engine::StepState;
use crate::engine::chain::{Chain, params};
use crate::engine::loops::workgroup_sum;
use crate::threads::DealOut;

crate::kernel! {
    /// Sums of `dz` and of `dz * (input - mean) / deviation` over the values of each channel's tile of `tile`
    /// positions, where `dz` is `delta` if the ReLU let the value through, otherwise 0.
    ///
    /// `mask` says how that is known: 0, there is no ReLU; 1, from the sign of the normalised input, recomputed so that
    /// the activation need not be read; 2, from the sign of `activation`, which includes a residual. Shapes: `input`,
    /// `delta` and `activation` (read only with mask 2) `[channels][positions][lanes]`, `saved` `[2][channels]`,
    /// `values` that of [`Parameters`](crate::layer::Parameters), `parts` `[channels][tiles][2]`. Grid:
    /// [`Groups`](crate::engine::Grid::Groups) = channels × tiles.
    pub BatchNormSums, BatchNormSumsParams, BatchNormSumsTwin =
        "layer/norm/batch_norm_sums", shader!("layer/norm/batch_norm_sums"), chain &BACKWARD;
    params {
        /// Channels.
        channels: u32,
        /// Positions of a channel's plane.
        positions: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Positions of a tile; the last tile of a plane may have fewer.
        tile: u32,
        /// Tiles per plane.
        tiles: u32,
        /// Start of the channels' weights.
        weight: u32,
        /// Start of their biases.
        bias: u32,
        /// How the ReLU's mask is known.
        mask: u32,
    }
    loops |p, shape| tile(p.vectors, p.tile, shape) + workgroup_sum(shape);
    uniform step: StepState,
    read input: f32,
    read delta: f32,
    read activation: f32,
    read saved: f32,
    read values: f32,
    write parts: f32,
}

impl BatchNormSumsTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let lanes = p.vectors as usize * 4;
        let [plane, tile] = [p.positions, p.tile].map(|n| n as usize * lanes);
        let [channels, tiles] = [p.channels, p.tiles].map(|n| n as usize);
        self.parts[..channels * tiles * 2]
            .par_chunks_exact_mut(2)
            .with_min_len((16 * 1024 / tile).max(1))
            .enumerate()
            .deal_out(|(item, parts)| {
                let c = item / tiles;
                let first = item % tiles * tile;
                let range = c * plane + first..c * plane + (first + tile).min(plane);
                let inverse = self.saved[channels + c];
                let tile = SumsTile {
                    input: &self.input[range.clone()],
                    delta: &self.delta[range.clone()],
                    activation: match p.mask {
                        mask::ACTIVATION => &self.activation[range],
                        _ => &[],
                    },
                    lanes,
                    count: self.step.count as usize,
                    mask: p.mask,
                    mean: self.saved[c],
                    inverse,
                    scale: inverse * self.values[p.weight as usize + c],
                    bias: self.values[p.bias as usize + c],
                };
                parts.copy_from_slice(&tile.sums());
            });
    }
}

/// With the parameters' gradients and those at input and residual.
static BACKWARD: Chain = Chain {
    kernels: &[
        "layer/norm/batch_norm_sums",
        "layer/norm/batch_norm_gradients",
        "layer/norm/batch_norm_backward",
    ],
    idle: |bytes, threads| {
        let p: BatchNormSumsParams = params(bytes[0]);
        enough(p.channels, threads).then(|| idle(bytes[2]))
    },
    run: |call| {
        let p: BatchNormSumsParams = call.params(0);
        backward(call, p.tile as usize);
    },
};
