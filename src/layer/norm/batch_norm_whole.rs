//! Batch norm of small planes in one dispatch.

use super::batch_norm_merge_apply::{BatchNormMergeApplyParams, BatchNormMergeApplyTwin};
use super::batch_norm_statistics::{BatchNormStatisticsParams, BatchNormStatisticsTwin};
use super::lanes::tile;
use super::shared::NormParams;
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
        /// The norm.
        norm: NormParams,
    }
    loops |p, shape| 3 * tile(p.norm.vectors, p.norm.positions, shape) + 2 * workgroup_sum(shape);
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
        let mut parts = vec![0f32; 2 * p.norm.channels as usize];
        BatchNormStatisticsTwin {
            params: BatchNormStatisticsParams {
                channels: p.norm.channels,
                positions: p.norm.positions,
                vectors: p.norm.vectors,
                tile: p.norm.positions,
                tiles: 1,
            },
            step: self.step,
            input: self.input,
            parts: &mut parts,
        }
        .run();
        BatchNormMergeApplyTwin {
            params: BatchNormMergeApplyParams {
                norm: p.norm,
                sum_tile: p.norm.positions,
                sum_tiles: 1,
                tile: p.norm.positions,
                tiles: 1,
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
