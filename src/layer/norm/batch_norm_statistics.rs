//! Batch norm's statistics, first half: mean and sum of squared differences of each tile.

use rayon::prelude::*;

use super::batch_norm_by_channel::{enough, forward};
use super::batch_norm_tiles::StatisticsTile;
use super::lanes::tile;
use crate::engine::StepState;
use crate::engine::chain::{Chain, params};
use crate::engine::loops::workgroup_sum;
use crate::threads::DealOut;

crate::kernel! {
    /// Mean of the tile's values and the sum of their squared differences from it, for each channel and tile of `tile`
    /// positions.
    ///
    /// Shapes: `input` `[channels][positions][lanes]`, `parts` `[channels][tiles][2]`. Grid:
    /// [`Groups`](crate::engine::Grid::Groups) = channels × tiles. It makes two passes, so that a small variance about
    /// a large mean is not lost; the second one finds the tile in the cache.
    pub BatchNormStatistics, BatchNormStatisticsParams, BatchNormStatisticsTwin =
        "layer/norm/batch_norm_statistics", shader!("layer/norm/batch_norm_statistics"), chain &FORWARD;
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
    }
    loops |p, shape| 2 * (tile(p.vectors, p.tile, shape) + workgroup_sum(shape));
    uniform step: StepState,
    read input: f32,
    write parts: f32,
}

impl BatchNormStatisticsTwin<'_> {
    pub(super) fn run(self) {
        let BatchNormStatisticsParams {
            channels,
            positions,
            vectors,
            tile,
            tiles,
        } = self.params;
        let lanes = vectors as usize * 4;
        let [plane, tile] = [positions, tile].map(|p| p as usize * lanes);
        let [channels, tiles] = [channels, tiles].map(|n| n as usize);
        self.parts[..channels * tiles * 2]
            .par_chunks_exact_mut(2)
            .with_min_len((16 * 1024 / tile).max(1))
            .enumerate()
            .deal_out(|(item, parts)| {
                let first = item % tiles * tile;
                let end = (first + tile).min(plane);
                let tile = StatisticsTile {
                    input: &self.input[item / tiles * plane..][first..end],
                    lanes,
                    count: self.step.count as usize,
                };
                parts.copy_from_slice(&tile.statistics());
            });
    }
}

/// With the merge and the output.
static FORWARD: Chain = Chain {
    kernels: &[
        "layer/norm/batch_norm_statistics",
        "layer/norm/batch_norm_merge",
        "layer/norm/batch_norm_apply",
    ],
    idle: |bytes, threads| {
        let p: BatchNormStatisticsParams = params(bytes[0]);
        enough(p.channels, threads).then_some(&[])
    },
    run: forward,
};
