//! Batch norm's statistics, first half: mean and sum of squared differences of each tile.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::lanes::{sums, tile, workgroup_sum};
use crate::engine::StepState;

crate::kernel! {
    /// Mean of the tile's members and the sum of their squared differences from it, for each channel and tile of `tile`
    /// positions.
    ///
    /// Shapes: `input` `[channels][positions][lanes]`, `parts` `[channels][tiles][2]`. Grid:
    /// [`Groups`](crate::engine::Grid::Groups) = channels × tiles. In two passes, so that a small variance about a
    /// large mean is not lost; the second finds the tile in the cache.
    pub BatchNormStatistics, BatchNormStatisticsParams, BatchNormStatisticsTwin =
        "layer/norm/batch_norm_statistics", shader!("layer/norm/batch_norm_statistics");
    params {
        /// Channels.
        channels: u32,
        /// Positions of a channel's plane.
        positions: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Positions of a tile; the last tile of a plane may have fewer.
        tile: u32,
        /// Tiles of a plane.
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
        let arch = pulp::Arch::new();
        self.parts[..channels * tiles * 2]
            .par_chunks_exact_mut(2)
            .with_min_len((16 * 1024 / tile).max(1))
            .enumerate()
            .for_each(|(item, parts)| {
                let first = item % tiles * tile;
                let end = (first + tile).min(plane);
                parts.copy_from_slice(&arch.dispatch(Tile {
                    input: &self.input[item / tiles * plane..][first..end],
                    lanes,
                    count: self.step.count as usize,
                }));
            });
    }
}

struct Tile<'a> {
    input: &'a [f32],
    lanes: usize,
    count: usize,
}

impl WithSimd for Tile<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
        let Tile {
            input,
            lanes,
            count,
        } = self;
        let n = (input.len() / lanes * count) as f32;
        let [sum] = sums(simd, [input], lanes, count, |x| x);
        let mean = sum / n;
        let about = simd.splat_f32s(mean);
        let [rest, squares] = sums(
            simd,
            [input],
            lanes,
            count,
            #[inline(always)]
            |[x]| {
                let d = simd.sub_f32s(x, about);
                [d, simd.mul_f32s(d, d)]
            },
        );
        // What rounding left in the mean is taken out of both.
        let shift = rest / n;
        [mean + shift, squares - rest * shift]
    }
}
