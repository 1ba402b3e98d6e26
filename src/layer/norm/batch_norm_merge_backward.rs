//! Batch norm's gradients and backward pass in one dispatch.

use super::batch_norm_backward::{BatchNormBackwardParams, BatchNormBackwardTwin};
use super::batch_norm_gradients::{BatchNormGradientsParams, BatchNormGradientsTwin};
use super::lanes::tile;
use crate::engine::StepState;
use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// [`BatchNormGradients`](super::BatchNormGradients) and [`BatchNormBackward`](super::BatchNormBackward): each
    /// workgroup repeats the sum over its channel's tiles, in the same order, and the plane's first workgroup stores
    /// the gradients.
    ///
    /// Shapes as theirs, except `saved`, `[4][channels]`: mean, `1 / standard deviation`, weight, bias. Grid:
    /// [`Groups`](crate::engine::Grid::Groups) = channels × tiles.
    pub BatchNormMergeBackward, BatchNormMergeBackwardParams, BatchNormMergeBackwardTwin =
        "layer/norm/batch_norm_merge_backward", shader!("layer/norm/batch_norm_merge_backward");
    params {
        /// Channels.
        channels: u32,
        /// Positions of a channel's plane.
        positions: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Number of tiles per plane that have sums.
        sum_tiles: u32,
        /// Positions of a tile of the output; the last tile of a plane may have fewer.
        tile: u32,
        /// Number of such tiles per plane.
        tiles: u32,
        /// Start of the channels' weights.
        weight: u32,
        /// Start of their biases.
        bias: u32,
        /// How the ReLU's mask is known.
        mask: u32,
        /// 0: do not touch `residual`; 1: write it; 2: add to it.
        residual_mode: u32,
        /// 1: add to the existing gradients.
        accumulate: u32,
    }
    loops |p, shape| looped(p.sum_tiles, NONE) + tile(p.vectors, p.tile, shape);
    uniform step: StepState,
    read parts: f32,
    read input: f32,
    read delta: f32,
    read activation: f32,
    read saved: f32,
    write gradient: f32,
    write output: f32,
    write residual: f32,
}

impl BatchNormMergeBackwardTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let mut sums = vec![0f32; 2 * p.channels as usize];
        BatchNormGradientsTwin {
            params: BatchNormGradientsParams {
                channels: p.channels,
                tiles: p.sum_tiles,
                weight: p.weight,
                bias: p.bias,
                accumulate: p.accumulate,
            },
            parts: self.parts,
            gradient: self.gradient,
            sums: &mut sums,
        }
        .run();
        BatchNormBackwardTwin {
            params: BatchNormBackwardParams {
                channels: p.channels,
                positions: p.positions,
                vectors: p.vectors,
                tile: p.tile,
                tiles: p.tiles,
                weight: 2 * p.channels,
                bias: 3 * p.channels,
                mask: p.mask,
                residual_mode: p.residual_mode,
                fixed: 0,
            },
            step: self.step,
            input: self.input,
            delta: self.delta,
            activation: self.activation,
            saved: self.saved,
            values: self.saved,
            sums: &sums,
            output: self.output,
            residual: self.residual,
        }
        .run();
    }
}
