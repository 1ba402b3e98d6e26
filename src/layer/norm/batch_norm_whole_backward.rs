//! The backward pass of a batch norm of small planes in one dispatch.

use super::batch_norm_merge_backward::{BatchNormMergeBackwardParams, BatchNormMergeBackwardTwin};
use super::batch_norm_sums::{BatchNormSumsParams, BatchNormSumsTwin};
use super::lanes::tile;
use crate::engine::StepState;
use crate::engine::loops::workgroup_sum;

crate::kernel! {
    /// The backward pass of a batch norm of planes that are one tile each: [`BatchNormSums`](super::BatchNormSums) and
    /// [`BatchNormMergeBackward`](super::BatchNormMergeBackward), whose shapes it shares.
    ///
    /// Grid: [`Groups`](crate::engine::Grid::Groups) = channels. Data that it reads again are in the cache.
    pub BatchNormWholeBackward, BatchNormWholeBackwardParams, BatchNormWholeBackwardTwin =
        "layer/norm/batch_norm_whole_backward", shader!("layer/norm/batch_norm_whole_backward");
    params {
        /// Channels.
        channels: u32,
        /// Positions of a channel's plane.
        positions: u32,
        /// `lanes / 4`.
        vectors: u32,
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
    loops |p, shape| 2 * tile(p.vectors, p.positions, shape) + workgroup_sum(shape);
    uniform step: StepState,
    read input: f32,
    read delta: f32,
    read activation: f32,
    read saved: f32,
    write gradient: f32,
    write output: f32,
    write residual: f32,
}

impl BatchNormWholeBackwardTwin<'_> {
    fn run(self) {
        let p = self.params;
        let mut parts = vec![0f32; 2 * p.channels as usize];
        BatchNormSumsTwin {
            params: BatchNormSumsParams {
                channels: p.channels,
                positions: p.positions,
                vectors: p.vectors,
                tile: p.positions,
                tiles: 1,
                weight: 2 * p.channels,
                bias: 3 * p.channels,
                mask: p.mask,
            },
            step: self.step,
            input: self.input,
            delta: self.delta,
            activation: self.activation,
            saved: self.saved,
            values: self.saved,
            parts: &mut parts,
        }
        .run();
        BatchNormMergeBackwardTwin {
            params: BatchNormMergeBackwardParams {
                channels: p.channels,
                positions: p.positions,
                vectors: p.vectors,
                sum_tiles: 1,
                tile: p.positions,
                tiles: 1,
                weight: p.weight,
                bias: p.bias,
                mask: p.mask,
                residual_mode: p.residual_mode,
                accumulate: p.accumulate,
            },
            step: self.step,
            parts: &parts,
            input: self.input,
            delta: self.delta,
            activation: self.activation,
            saved: self.saved,
            gradient: self.gradient,
            output: self.output,
            residual: self.residual,
        }
        .run();
    }
}
