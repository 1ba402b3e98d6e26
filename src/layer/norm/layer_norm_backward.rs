//! Layer norm backward: the gradient at its input.

use rayon::prelude::*;

use super::lanes::column;
use crate::engine::WorkgroupShape;
use crate::engine::loops::{Loops, NONE, looped};
use crate::twin::columns::columns;

crate::kernel! {
    /// `output[c] (+)= (g[c] - mean(g) - x[c] * mean(g * x)) / deviation` for each position and lane, with
    /// `g[c] = delta[c] * weight[c]` and the normalised input x, where the means are over the channels c.
    ///
    /// `saved` is zero in padding lanes, which makes the result zero there. Shapes: `input`, `delta` and `output`
    /// `[channels][positions][lanes]`, `saved` `[2][positions][lanes]`, `values` that of
    /// [`Parameters`](crate::layer::Parameters). Grid: [`Items`](crate::engine::Grid::Items) = items.
    pub LayerNormBackward, LayerNormBackwardParams, LayerNormBackwardTwin =
        "layer/norm/layer_norm_backward", shader!("layer/norm/layer_norm_backward");
    params {
        /// Channels.
        channels: u32,
        /// Vectors of four lanes of a channel: `positions * lanes / 4`.
        items: u32,
        /// Start of the channels' weights.
        weight: u32,
        /// 1: add to the existing values.
        accumulate: u32,
    }
    loops LayerNormBackwardParams::loops;
    read input: f32,
    read delta: f32,
    read saved: f32,
    read values: f32,
    write output: f32,
}

impl LayerNormBackwardParams {
    pub(super) fn loops(&self, shape: WorkgroupShape) -> Loops {
        let channels = self.channels.div_ceil(shape.rows());
        2 * looped(channels, NONE) + looped(shape.rows(), NONE)
    }
}

impl<'a> LayerNormBackwardTwin<'a> {
    /// A task takes a column of lanes through all channels twice, the second time from the cache.
    pub(super) fn run(self) {
        let p = self.params;
        let plane = p.items as usize * 4;
        let channels = p.channels as usize;
        let arch = pulp::Arch::new();
        let weights = &self.values[p.weight as usize..][..channels];
        let (means, inverses) = self.saved[..2 * plane].split_at(plane);
        let output = &mut self.output[..channels * plane];
        let columns: Vec<_> = columns(output, plane, column(2 * channels)).collect();
        columns.into_par_iter().for_each(|mut column| {
            let range = column.range();
            let of_channel = |array: &'a [f32], c: usize| &array[c * plane..][range.clone()];
            let (mean, inverse) = (&means[range.clone()], &inverses[range.clone()]);
            // The means of g and of g * x.
            let (mut mean_g, mut mean_product) = (vec![0f32; range.len()], vec![0f32; range.len()]);
            arch.dispatch(
                #[inline(always)]
                || {
                    for (c, weight) in weights.iter().enumerate() {
                        let (x, dy) = (of_channel(self.input, c), of_channel(self.delta, c));
                        let sums = mean_g.iter_mut().zip(&mut mean_product);
                        for ((g_sum, sum), ((x, dy), mean)) in sums.zip(x.iter().zip(dy).zip(mean))
                        {
                            let g = dy * weight;
                            *g_sum += g;
                            *sum += g * (x - mean);
                        }
                    }
                    let sums = mean_g.iter_mut().zip(&mut mean_product);
                    for ((g_sum, sum), inverse) in sums.zip(inverse) {
                        *g_sum /= p.channels as f32;
                        *sum = *sum * inverse / p.channels as f32;
                    }
                    for (c, weight) in weights.iter().enumerate() {
                        let (x, dy) = (of_channel(self.input, c), of_channel(self.delta, c));
                        let dx = column.row(c, range.clone());
                        let of_lane =
                            (mean.iter().zip(inverse)).zip(mean_g.iter().zip(&mean_product));
                        let all = dx.iter_mut().zip(x.iter().zip(dy)).zip(of_lane);
                        for ((dx, (x, dy)), ((mean, inverse), (mean_g, mean_product))) in all {
                            let normal = (x - mean) * inverse;
                            let own = inverse * ((dy * weight - mean_g) - normal * mean_product);
                            let before = if p.accumulate != 0 { *dx } else { 0.0 };
                            *dx = before + own;
                        }
                    }
                },
            );
        });
    }
}
