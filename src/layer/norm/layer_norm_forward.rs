//! Layer norm, forward.

use rayon::prelude::*;

use super::lanes::{clear_padding, for_each_part};
use crate::engine::loops::{Loops, NONE, looped};
use crate::engine::{StepState, WorkgroupShape};
use crate::threads::DealOut;

crate::kernel! {
    /// `output[c] = (input[c] - mean) / deviation * weight[c] + bias[c]` for each position and lane, where mean and
    /// deviation are over the channels c.
    ///
    /// `saved` gets the means and the inverse standard deviations for the backward pass. In padding lanes it becomes
    /// zero, so that they enter no gradient, and so does `output`. Shapes: `input` and `output`
    /// `[channels][positions][lanes]`, `saved` `[2][positions][lanes]`, `values` that of
    /// [`Parameters`](crate::layer::Parameters). Grid: [`Items`](crate::engine::Grid::Items) = positions × vectors. The
    /// mean and the sum of squares are computed in one pass over the channels (Welford, "Note on a Method for
    /// Calculating Corrected Sums of Squares and Products", 1962).
    pub LayerNormForward, LayerNormForwardParams, LayerNormForwardTwin =
        "layer/norm/layer_norm_forward", shader!("layer/norm/layer_norm_forward");
    params {
        /// Channels.
        channels: u32,
        /// Positions.
        positions: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Start of the channels' weights.
        weight: u32,
        /// Start of their biases.
        bias: u32,
        /// Added to the variance.
        epsilon: f32,
    }
    loops LayerNormForwardParams::loops;
    uniform step: StepState,
    read input: f32,
    read values: f32,
    write output: f32,
    write saved: f32,
}

/// Lanes that a thread takes through all channels at a time, whose sums stay in the first-level cache.
const TILE: usize = 1024;

impl LayerNormForwardParams {
    pub(super) fn loops(&self, shape: WorkgroupShape) -> Loops {
        let channels = self.channels.div_ceil(shape.rows());
        2 * looped(channels, NONE) + looped(shape.rows(), NONE)
    }
}

impl LayerNormForwardTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let lanes = p.vectors as usize * 4;
        let count = self.step.count as usize;
        let plane = p.positions as usize * lanes;
        let channels = p.channels as usize;
        let arch = pulp::Arch::new();
        let (means, inverses) = self.saved[..2 * plane].split_at_mut(plane);
        means
            .par_chunks_mut(TILE)
            .zip(inverses.par_chunks_mut(TILE))
            .enumerate()
            .deal_out(|(i, (mean, inverse))| {
                mean.fill(0.0);
                // The sum of squares, until the end.
                inverse.fill(0.0);
                arch.dispatch(
                    #[inline(always)]
                    || {
                        for c in 0..channels {
                            let x = &self.input[c * plane + i * TILE..][..mean.len()];
                            let share = 1.0 / (c + 1) as f32;
                            for ((mean, squares), x) in mean.iter_mut().zip(&mut *inverse).zip(x) {
                                let d = x - *mean;
                                *mean += d * share;
                                *squares += d * (x - *mean);
                            }
                        }
                        for squares in &mut *inverse {
                            *squares = 1.0 / (*squares / p.channels as f32 + p.epsilon).sqrt();
                        }
                    },
                );
            });
        clear_padding(means, lanes, count);
        clear_padding(inverses, lanes, count);
        let (means, inverses) = (&*means, &*inverses);
        let output = &mut self.output[..channels * plane];
        for_each_part(output, plane, lanes, |c, offset, y| {
            let x = &self.input[c * plane + offset..][..y.len()];
            let (mean, inverse) = (&means[offset..][..y.len()], &inverses[offset..][..y.len()]);
            let weight = self.values[p.weight as usize + c];
            let bias = self.values[p.bias as usize + c];
            arch.dispatch(
                #[inline(always)]
                || {
                    for (((y, x), mean), inverse) in y.iter_mut().zip(x).zip(mean).zip(inverse) {
                        *y = (x - mean) * inverse * weight + bias;
                    }
                },
            );
            clear_padding(y, lanes, count);
        });
    }
}
