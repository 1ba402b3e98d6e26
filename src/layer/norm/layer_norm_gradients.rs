//! Layer norm backward: the gradients of its parameters.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::lanes::sums;
use crate::engine::loops::{NONE, Piece, looped, workgroup_sum};
use crate::engine::{Grid, WorkgroupShape};
use crate::threads::DealOut;

crate::kernel! {
    /// For each channel, the sums over positions and lanes of `delta * (input - mean) / deviation`, the gradient of its
    /// weight, and of `delta`, the gradient of its bias.
    ///
    /// `saved` and `delta` are zero in padding lanes, which therefore add nothing. Shapes: `input` and `delta`
    /// `[channels][positions][lanes]`, `saved` `[2][positions][lanes]`, `gradient` that of
    /// [`Parameters`](crate::layer::Parameters). Grid: [`Groups`](crate::engine::Grid::Groups) = channels.
    pub LayerNormGradients, LayerNormGradientsParams, LayerNormGradientsTwin =
        "layer/norm/layer_norm_gradients", shader!("layer/norm/layer_norm_gradients");
    params {
        /// Channels.
        channels: u32,
        /// Vectors of four lanes of a channel: `positions * lanes / 4`.
        items: u32,
        /// Start of the channels' weights.
        weight: u32,
        /// Start of their biases.
        bias: u32,
        /// 1: add to the existing gradients.
        accumulate: u32,
    }
    pieces LayerNormGradientsParams::pieces;
    read input: f32,
    read delta: f32,
    read saved: f32,
    write gradient: f32,
}

impl LayerNormGradientsParams {
    /// Each piece has some items, and adds to the previous one.
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let width = shape.lanes() * shape.rows();
        Piece::dealt(grid, self.items, width, |turns| {
            looped(turns, NONE) + workgroup_sum(shape)
        })
    }
}

impl LayerNormGradientsTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let plane = p.items as usize * 4;
        let channels = p.channels as usize;
        let arch = pulp::Arch::new();
        let (mean, inverse) = self.saved[..2 * plane].split_at(plane);
        let (weights, biases) = self.gradient.split_at_mut(p.bias as usize);
        weights[p.weight as usize..][..channels]
            .par_iter_mut()
            .zip(&mut biases[..channels])
            .with_min_len((16 * 1024 / plane).max(1))
            .enumerate()
            .deal_out(|(c, (weight, bias))| {
                let [dw, db] = arch.dispatch(Channel {
                    arrays: [
                        &self.input[c * plane..][..plane],
                        &self.delta[c * plane..][..plane],
                        mean,
                        inverse,
                    ],
                });
                for (gradient, sum) in [(weight, dw), (bias, db)] {
                    let before = if p.accumulate != 0 { *gradient } else { 0.0 };
                    *gradient = before + sum;
                }
            });
    }
}

struct Channel<'a> {
    arrays: [&'a [f32]; 4],
}

impl WithSimd for Channel<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
        let length = self.arrays[0].len();
        sums(
            simd,
            self.arrays,
            length,
            length,
            #[inline(always)]
            |[x, dy, mean, inverse]| {
                let normal = simd.mul_f32s(simd.sub_f32s(x, mean), inverse);
                [simd.mul_f32s(dy, normal), dy]
            },
        )
    }
}
