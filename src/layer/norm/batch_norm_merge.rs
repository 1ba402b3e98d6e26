//! Batch norm's statistics, second half: from the tiles' statistics to one mean and variance per channel.

use super::shared::NormParams;
use crate::engine::StepState;
use crate::engine::loops::{NONE, looped};
use crate::sparse::STATISTICS;

crate::kernel! {
    /// Merges the tiles of [`BatchNormStatistics`](super::BatchNormStatistics) in order, by the formula of Chan, Golub
    /// and LeVeque ("Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979):
    /// `saved[c] = mean`, `saved[channels + c] = 1 / sqrt(variance + epsilon)`.
    ///
    /// With `update` also `running = (1 - momentum) * running + momentum * batch`, where the variance is the unbiased
    /// one (over `n - 1`; for a single value it is zero), as in PyTorch. Shapes: `parts` `[channels][tiles][2]`,
    /// `running` that of [`Parameters`](crate::layer::Parameters), `saved` `[2][channels]`. Grid:
    /// [`Items`](crate::engine::Grid::Items) = channels.
    pub BatchNormMerge, BatchNormMergeParams, BatchNormMergeTwin =
        "layer/norm/batch_norm_merge", shader!("layer/norm/batch_norm_merge");
    params {
        /// The norm.
        norm: NormParams,
        /// Positions of a tile; the last tile of a plane may have fewer.
        tile: u32,
        /// Tiles per plane.
        tiles: u32,
    }
    loops |p, _| looped(p.tiles, NONE);
    uniform step: StepState,
    read parts: f32,
    write running: f32,
    write saved: f32,
}

/// A channel's values: their number, their mean, and the sum of their squared differences from it.
pub(super) struct Merged {
    pub n: f32,
    pub mean: f32,
    pub squares: f32,
}

impl Merged {
    /// Merged from its tiles' `parts`.
    pub fn of(p: &BatchNormMergeParams, count: u32, parts: &[f32]) -> Self {
        let (parts, _) = parts.as_chunks::<2>();
        let tiles = parts.iter().enumerate().map(|(t, part)| {
            let rows = p.tile.min(p.norm.positions - t as u32 * p.tile);
            [(rows * count) as f32, part[0], part[1]]
        });
        Self::of_tiles(tiles)
    }

    /// From parts that state their number of samples, which may be zero.
    pub fn of_counted(parts: &[f32]) -> Self {
        let (parts, _) = parts.as_chunks::<STATISTICS>();
        Self::of_tiles(parts.iter().copied().filter(|part| part[0] > 0.0))
    }

    /// From the number of samples, mean and sum of squared differences of tiles, in order.
    fn of_tiles(tiles: impl Iterator<Item = [f32; STATISTICS]>) -> Self {
        let (mut n, mut mean, mut squares) = (0f32, 0f32, 0f32);
        for [more, tile_mean, tile_squares] in tiles {
            let total = n + more;
            let d = tile_mean - mean;
            mean += d * (more / total);
            squares += tile_squares + d * d * (n * (more / total));
            n = total;
        }
        Merged { n, mean, squares }
    }

    /// `1 / standard deviation`.
    pub fn inverse(&self, epsilon: f32) -> f32 {
        1.0 / (self.squares / self.n + epsilon).sqrt()
    }
}

impl BatchNormMergeTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let [channels, tiles] = [p.norm.channels, p.tiles].map(|n| n as usize);
        for c in 0..channels {
            let channel = match p.tile {
                0 => {
                    Merged::of_counted(&self.parts[STATISTICS * c * tiles..][..STATISTICS * tiles])
                }
                _ => Merged::of(
                    &p,
                    self.step.count,
                    &self.parts[2 * c * tiles..][..2 * tiles],
                ),
            };
            let Merged { n, mean, squares } = channel;
            self.saved[c] = mean;
            self.saved[channels + c] = channel.inverse(p.norm.epsilon);
            if p.norm.update != 0 {
                let unbiased = squares / (n - 1.0).max(1.0);
                for (first, value) in [(p.norm.mean, mean), (p.norm.variance, unbiased)] {
                    let running = &mut self.running[first as usize + c];
                    *running = (1.0 - p.norm.momentum) * *running + p.norm.momentum * value;
                }
            }
        }
    }
}
