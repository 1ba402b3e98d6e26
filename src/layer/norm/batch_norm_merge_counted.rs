//! Batch norm's statistics from parts that state their number of samples, if its output is not written.

use super::batch_norm_merge::{BatchNormMergeParams, BatchNormMergeTwin};
use super::shared::{NormParams, keep_parameters};
use crate::engine::StepState;
use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// [`BatchNormMerge`](super::BatchNormMerge) of what [`ConvStatistics`](crate::sparse::ConvStatistics) left: the
    /// whole forward pass of a norm if the next layer normalises at each load.
    ///
    /// Shapes: `parts` `[channels][parts][3]`, `saved` `[4][channels]`: mean, `1 / standard deviation`, weight, bias;
    /// others as there. Grid: [`Items`](crate::engine::Grid::Items) = channels.
    pub BatchNormMergeCounted, BatchNormMergeCountedParams, BatchNormMergeCountedTwin =
        "layer/norm/batch_norm_merge_counted", shader!("layer/norm/batch_norm_merge_counted");
    params {
        /// The norm.
        norm: NormParams,
        /// Parts of a plane.
        parts: u32,
    }
    loops |p, _| looped(p.parts, NONE);
    read parts: f32,
    read values: f32,
    write running: f32,
    write saved: f32,
}

impl BatchNormMergeCountedTwin<'_> {
    fn run(self) {
        let p = self.params;
        BatchNormMergeTwin {
            params: BatchNormMergeParams {
                norm: p.norm,
                tile: 0,
                tiles: p.parts,
            },
            step: StepState::default(),
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
    }
}
