//! Batch norm of small planes in one dispatch.

use super::batch_norm_merge_apply::{BatchNormMergeApplyParams, BatchNormMergeApplyTwin};
use super::batch_norm_statistics::{BatchNormStatisticsParams, BatchNormStatisticsTwin};
use super::lanes::tile;
use crate::engine::StepState;
use crate::engine::loops::workgroup_sum;

crate::kernel! {
    /// A batch norm of planes that are one tile each: [`BatchNormStatistics`](super::BatchNormStatistics) and
    /// [`BatchNormMergeApply`](super::BatchNormMergeApply), whose shapes it shares.
    ///
    /// Grid: [`Groups`](crate::engine::Grid::Groups) = channels. Data that it reads again are in the cache.
    pub BatchNormWhole, BatchNormWholeParams, BatchNormWholeTwin =
        "layer/norm/batch_norm_whole", shader!("layer/norm/batch_norm_whole");
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
        /// Where their running means start.
        mean: u32,
        /// Start of their running variances.
        variance: u32,
        /// Added to the variance.
        epsilon: f32,
        /// Share of the running statistics that the batch replaces.
        momentum: f32,
        /// 1: update the running statistics.
        update: u32,
        /// 1: negative results become zero.
        relu: u32,
        /// 1: add `residual`.
        add: u32,
    }
    loops |p, shape| 3 * tile(p.vectors, p.positions, shape) + 2 * workgroup_sum(shape);
    uniform step: StepState,
    read input: f32,
    read residual: f32,
    read values: f32,
    write running: f32,
    write saved: f32,
    write output: f32,
}

impl BatchNormWholeTwin<'_> {
    fn run(self) {
        let p = self.params;
        let mut parts = vec![0f32; 2 * p.channels as usize];
        BatchNormStatisticsTwin {
            params: BatchNormStatisticsParams {
                channels: p.channels,
                positions: p.positions,
                vectors: p.vectors,
                tile: p.positions,
                tiles: 1,
            },
            step: self.step,
            input: self.input,
            parts: &mut parts,
        }
        .run();
        BatchNormMergeApplyTwin {
            params: BatchNormMergeApplyParams {
                channels: p.channels,
                positions: p.positions,
                vectors: p.vectors,
                sum_tile: p.positions,
                sum_tiles: 1,
                tile: p.positions,
                tiles: 1,
                weight: p.weight,
                bias: p.bias,
                mean: p.mean,
                variance: p.variance,
                epsilon: p.epsilon,
                momentum: p.momentum,
                update: p.update,
                relu: p.relu,
                add: p.add,
            },
            step: self.step,
            parts: &parts,
            input: self.input,
            residual: self.residual,
            values: self.values,
            running: self.running,
            saved: self.saved,
            output: self.output,
        }
        .run();
    }
}
