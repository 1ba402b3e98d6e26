//! Batch norm's statistics, second half: the tiles' into one mean and variance a channel.

use crate::engine::StepState;
use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// Merges the tiles of [`BatchNormStatistics`](super::BatchNormStatistics) in order, by the formula of Chan, Golub
    /// and LeVeque ("Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979):
    /// `saved[c] = mean`, `saved[channels + c] = 1 / sqrt(variance + epsilon)`.
    ///
    /// With `update` also `running = (1 - momentum) * running + momentum * batch`, the variance there being the
    /// unbiased one (over `n - 1`; of a single value it is zero), as PyTorch has it. Shapes: `parts`
    /// `[channels][tiles][2]`, `running` that of [`Parameters`](crate::layer::Parameters), `saved` `[2][channels]`.
    /// Grid: [`Items`](crate::engine::Grid::Items) = channels.
    pub BatchNormMerge, BatchNormMergeParams, BatchNormMergeTwin =
        "layer/norm/batch_norm_merge", shader!("layer/norm/batch_norm_merge");
    params {
        /// Channels.
        channels: u32,
        /// Positions of a channel's plane.
        positions: u32,
        /// Positions of a tile; the last tile of a plane may have fewer.
        tile: u32,
        /// Tiles of a plane.
        tiles: u32,
        /// Where the channels' running means start.
        mean: u32,
        /// Where their running variances start.
        variance: u32,
        /// Added to the variance.
        epsilon: f32,
        /// Share of the running statistics that the batch replaces.
        momentum: f32,
        /// 1: update the running statistics.
        update: u32,
    }
    loops |p, _| looped(p.tiles, NONE);
    uniform step: StepState,
    read parts: f32,
    write running: f32,
    write saved: f32,
}

impl BatchNormMergeTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let [channels, tiles] = [p.channels, p.tiles].map(|n| n as usize);
        for c in 0..channels {
            let (mut n, mut mean, mut squares) = (0f32, 0f32, 0f32);
            for t in 0..p.tiles {
                let at = 2 * (c * tiles + t as usize);
                let rows = p.tile.min(p.positions - t * p.tile);
                let more = (rows * self.step.count) as f32;
                let total = n + more;
                let d = self.parts[at] - mean;
                mean += d * (more / total);
                squares += self.parts[at + 1] + d * d * (n * (more / total));
                n = total;
            }
            let variance = squares / n;
            self.saved[c] = mean;
            self.saved[channels + c] = 1.0 / (variance + p.epsilon).sqrt();
            if p.update != 0 {
                let unbiased = squares / (n - 1.0).max(1.0);
                for (first, value) in [(p.mean, mean), (p.variance, unbiased)] {
                    let running = &mut self.running[first as usize + c];
                    *running = (1.0 - p.momentum) * *running + p.momentum * value;
                }
            }
        }
    }
}
