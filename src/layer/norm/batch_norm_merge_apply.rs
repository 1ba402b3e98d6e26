//! Batch norm's merge and output in one dispatch.

use super::batch_norm_apply::{BatchNormApplyParams, BatchNormApplyTwin};
use super::batch_norm_merge::{BatchNormMergeParams, BatchNormMergeTwin};
use super::lanes::tile;
use super::shared::NormParams;
use super::shared::keep_parameters;
use crate::engine::StepState;
use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// [`BatchNormMerge`](super::BatchNormMerge) and [`BatchNormApply`](super::BatchNormApply): each workgroup repeats
    /// the merge of its channel's tiles, in the same order, and the plane's first workgroup stores the result.
    ///
    /// Shapes as theirs, except `saved`, `[4][channels]`: mean, `1 / standard deviation`, weight, bias. With a
    /// `sum_tile` of 0, `parts` are what [`ConvStatistics`](crate::sparse::ConvStatistics) left. Grid:
    /// [`Groups`](crate::engine::Grid::Groups) = channels × tiles.
    pub BatchNormMergeApply, BatchNormMergeApplyParams, BatchNormMergeApplyTwin =
        "layer/norm/batch_norm_merge_apply", shader!("layer/norm/batch_norm_merge_apply");
    params {
        /// The norm.
        norm: NormParams,
        /// Positions per tile of the statistics; the last tile of a plane may have fewer. 0: each part states its
        /// number of samples.
        sum_tile: u32,
        /// Such tiles of a plane.
        sum_tiles: u32,
        /// Positions of a tile of the output; the last one may have fewer.
        tile: u32,
        /// Such tiles of a plane.
        tiles: u32,
    }
    loops |p, shape| looped(p.sum_tiles, NONE) + looped(0, NONE) + tile(p.norm.vectors, p.tile, shape);
    uniform step: StepState,
    read parts: f32,
    read input: f32,
    read residual: f32,
    read values: f32,
    write running: f32,
    write saved: f32,
    write output: f32,
}

impl BatchNormMergeApplyTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        BatchNormMergeTwin {
            params: BatchNormMergeParams {
                norm: p.norm,
                tile: p.sum_tile,
                tiles: p.sum_tiles,
            },
            step: self.step,
            parts: self.parts,
            running: self.running,
            saved: &mut *self.saved,
        }
        .run();
        keep_parameters(
            self.saved,
            self.values,
            p.norm.channels,
            [p.norm.weight, p.norm.bias],
        );
        BatchNormApplyTwin {
            params: BatchNormApplyParams {
                norm: p.norm,
                tile: p.tile,
                tiles: p.tiles,
            },
            step: self.step,
            input: self.input,
            residual: self.residual,
            saved: self.saved,
            values: self.values,
            output: self.output,
        }
        .run();
    }
}
