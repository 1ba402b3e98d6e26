//! Layer norm, forward.

use rayon::prelude::*;

use super::lanes::{clear_padding_from, column};
use crate::engine::loops::{Loops, NONE, looped};
use crate::engine::{StepState, WorkgroupShape};
use crate::twin::columns::columns;

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

impl LayerNormForwardParams {
    pub(super) fn loops(&self, shape: WorkgroupShape) -> Loops {
        let channels = self.channels.div_ceil(shape.rows());
        2 * looped(channels, NONE) + looped(shape.rows(), NONE)
    }
}

impl LayerNormForwardTwin<'_> {
    /// A task takes a column of lanes through all channels twice, the second time from the cache.
    pub(super) fn run(self) {
        let p = self.params;
        let lanes = p.vectors as usize * 4;
        let count = self.step.count as usize;
        let plane = p.positions as usize * lanes;
        let channels = p.channels as usize;
        let width = column(channels);
        let arch = pulp::Arch::new();
        let (means, inverses) = self.saved[..2 * plane].split_at_mut(plane);
        let [weights, biases] =
            [p.weight, p.bias].map(|at| &self.values[at as usize..][..channels]);
        let output = &mut self.output[..channels * plane];
        let columns: Vec<_> = columns(output, plane, width)
            .zip(means.chunks_mut(width).zip(inverses.chunks_mut(width)))
            .collect();
        columns
            .into_par_iter()
            .for_each(|(mut column, (mean, inverse))| {
                let range = column.range();
                let input = |c: usize| &self.input[c * plane..][range.clone()];
                mean.fill(0.0);
                // The sum of squares, until the end.
                inverse.fill(0.0);
                arch.dispatch(
                    #[inline(always)]
                    || {
                        for c in 0..channels {
                            let share = 1.0 / (c + 1) as f32;
                            let of_lane = mean.iter_mut().zip(&mut *inverse);
                            for ((mean, squares), x) in of_lane.zip(input(c)) {
                                let d = x - *mean;
                                *mean += d * share;
                                *squares += d * (x - *mean);
                            }
                        }
                        for squares in &mut *inverse {
                            *squares = 1.0 / (*squares / p.channels as f32 + p.epsilon).sqrt();
                        }
                        clear_padding_from(mean, range.start, lanes, count);
                        clear_padding_from(inverse, range.start, lanes, count);
                        for (c, (weight, bias)) in weights.iter().zip(biases).enumerate() {
                            let y = column.row(c, range.clone());
                            let of_lane = input(c).iter().zip(mean.iter().zip(&*inverse));
                            for (y, (x, (mean, inverse))) in y.iter_mut().zip(of_lane) {
                                *y = (x - mean) * inverse * weight + bias;
                            }
                            clear_padding_from(y, range.start, lanes, count);
                        }
                    },
                );
            });
    }
}
