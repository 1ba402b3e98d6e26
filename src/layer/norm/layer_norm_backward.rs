//! Layer norm backward: the gradient at its input.

use rayon::prelude::*;

use super::lanes::for_each_part;
use crate::engine::WorkgroupShape;
use crate::engine::loops::{Loops, NONE, looped};
use crate::threads::DealOut;

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

/// Lanes that a thread takes through all channels at a time, whose sums stay in the first-level cache.
const TILE: usize = 1024;

impl LayerNormBackwardParams {
    pub(super) fn loops(&self, shape: WorkgroupShape) -> Loops {
        let channels = self.channels.div_ceil(shape.rows());
        2 * looped(channels, NONE) + looped(shape.rows(), NONE)
    }
}

impl LayerNormBackwardTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let plane = p.items as usize * 4;
        let channels = p.channels as usize;
        let arch = pulp::Arch::new();
        let weights = &self.values[p.weight as usize..][..channels];
        let (means, inverses) = self.saved[..2 * plane].split_at(plane);
        // The means of g and of g * x.
        let (mut mean_g, mut mean_product) = (vec![0f32; plane], vec![0f32; plane]);
        mean_g
            .par_chunks_mut(TILE)
            .zip(mean_product.par_chunks_mut(TILE))
            .enumerate()
            .deal_out(|(i, (g_sum, product_sum))| {
                let length = g_sum.len();
                let mean = &means[i * TILE..][..length];
                let inverse = &inverses[i * TILE..][..length];
                arch.dispatch(
                    #[inline(always)]
                    || {
                        for (c, weight) in weights.iter().enumerate() {
                            let x = &self.input[c * plane + i * TILE..][..length];
                            let dy = &self.delta[c * plane + i * TILE..][..length];
                            let of_lane = g_sum.iter_mut().zip(&mut *product_sum).zip(x);
                            for (((g_sum, sum), x), (dy, mean)) in of_lane.zip(dy.iter().zip(mean))
                            {
                                let g = dy * weight;
                                *g_sum += g;
                                *sum += g * (x - mean);
                            }
                        }
                        for ((g_sum, sum), inverse) in
                            g_sum.iter_mut().zip(&mut *product_sum).zip(inverse)
                        {
                            *g_sum /= p.channels as f32;
                            *sum = *sum * inverse / p.channels as f32;
                        }
                    },
                );
            });
        let output = &mut self.output[..channels * plane];
        for_each_part(output, plane, 4, |c, offset, dx| {
            let length = dx.len();
            let of_channel = c * plane + offset;
            let (x, dy) = (
                &self.input[of_channel..][..length],
                &self.delta[of_channel..][..length],
            );
            let [mean, inverse, mean_g, mean_product] =
                [means, inverses, &mean_g, &mean_product].map(|a| &a[offset..][..length]);
            let weight = weights[c];
            arch.dispatch(
                #[inline(always)]
                || {
                    let of_lane = (mean.iter().zip(inverse)).zip(mean_g.iter().zip(mean_product));
                    let all = dx.iter_mut().zip(x.iter().zip(dy)).zip(of_lane);
                    for ((dx, (x, dy)), ((mean, inverse), (mean_g, mean_product))) in all {
                        let normal = (x - mean) * inverse;
                        let own = inverse * ((dy * weight - mean_g) - normal * mean_product);
                        let before = if p.accumulate != 0 { *dx } else { 0.0 };
                        *dx = before + own;
                    }
                },
            );
        });
    }
}
