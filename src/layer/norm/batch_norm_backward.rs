//! Batch norm backward, third part: the gradient at its input, and at the residual that was added to its output.

use super::lanes::{clear_padding, for_each_pair_of_parts, for_each_part, tile};
use super::shared::mask;
use crate::engine::StepState;

crate::kernel! {
    /// `output = weight / deviation * (dz - mean(dz) - x * mean(dz * x))`, where x is the normalised input and the
    /// means are over the channel's `n = count * positions` values, or zero if mean and deviation are fixed; and
    /// `residual = dz` or `residual += dz`. Padding lanes of `output` become zero.
    ///
    /// `mask` says how the ReLU's mask is known, as for [`BatchNormSums`](super::BatchNormSums). Shapes: `input`,
    /// `delta`, `activation` (read only with mask 2), `output`, `residual` (touched only if requested; any other buffer
    /// may be bound) `[channels][positions][lanes]`, `saved` and `sums` `[2][channels]`, `values` that of
    /// [`Parameters`](crate::layer::Parameters). Grid: [`Groups`](crate::engine::Grid::Groups) = channels × tiles.
    /// Bound by memory.
    pub BatchNormBackward, BatchNormBackwardParams, BatchNormBackwardTwin =
        "layer/norm/batch_norm_backward", shader!("layer/norm/batch_norm_backward");
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
        /// Start of the channels' weights.
        weight: u32,
        /// Start of their biases.
        bias: u32,
        /// How the ReLU's mask is known.
        mask: u32,
        /// 0: do not touch `residual`; 1: write it; 2: add to it.
        residual_mode: u32,
        /// 1: mean and deviation do not depend on the batch, and `sums` is not read: any other buffer may be bound.
        fixed: u32,
    }
    loops |p, shape| tile(p.vectors, p.tile, shape);
    uniform step: StepState,
    read input: f32,
    read delta: f32,
    read activation: f32,
    read saved: f32,
    read values: f32,
    read sums: f32,
    write output: f32,
    write residual: f32,
}

/// Words that go through all steps at a time, in the first-level cache.
const BLOCK: usize = 1024;

impl BatchNormBackwardTwin<'_> {
    pub(super) fn run(mut self) {
        let p = self.params;
        let lanes = p.vectors as usize * 4;
        let plane = p.positions as usize * lanes;
        let words = p.channels as usize * plane;
        let output = &mut std::mem::take(&mut self.output)[..words];
        let residual = std::mem::take(&mut self.residual);
        if p.residual_mode == 0 {
            for_each_part(output, plane, lanes, |c, offset, dx| {
                self.part(c, offset, dx, None);
            });
        } else {
            let arrays = [output, &mut residual[..words]];
            for_each_pair_of_parts(arrays, plane, lanes, |c, offset, dx, dr| {
                self.part(c, offset, dx, Some(dr));
            });
        }
    }

    /// The words `dx` of channel `c`, starting at `offset` of its plane.
    fn part(&self, c: usize, offset: usize, dx: &mut [f32], dr: Option<&mut [f32]>) {
        let p = self.params;
        let lanes = p.vectors as usize * 4;
        let channels = p.channels as usize;
        let n = (p.positions * self.step.count) as f32;
        let inverse = self.saved[channels + c];
        let first = c * p.positions as usize * lanes + offset;
        let range = first..first + dx.len();
        let mean_of = |sum: usize| match p.fixed {
            0 => self.sums[sum] / n,
            _ => 0.0,
        };
        let channel = Channel {
            mask: p.mask,
            adds: p.residual_mode == 2,
            mean: self.saved[c],
            inverse,
            scale: inverse * self.values[p.weight as usize + c],
            bias: self.values[p.bias as usize + c],
            mean_dz: mean_of(c),
            mean_product: mean_of(channels + c),
        };
        let seen = Seen {
            x: &self.input[range.clone()],
            dy: &self.delta[range.clone()],
            y: if p.mask == mask::ACTIVATION {
                &self.activation[range]
            } else {
                &[]
            },
        };
        channel.gradient(seen, dx, dr);
        clear_padding(dx, lanes, self.step.count as usize);
    }
}

/// What is applied to a channel's gradients.
pub(super) struct Channel {
    pub mask: u32,
    /// Whether the residual's gradient is added to the existing one.
    pub adds: bool,
    pub mean: f32,
    pub inverse: f32,
    /// Weight times `inverse`.
    pub scale: f32,
    pub bias: f32,
    /// Mean of the masked gradient, and of it times the normalised input.
    pub mean_dz: f32,
    pub mean_product: f32,
}

/// Values of one part of a channel.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub x: &'a [f32],
    pub dy: &'a [f32],
    /// The activation; empty unless the mask comes from it.
    pub y: &'a [f32],
}

impl Channel {
    /// Writes the gradient at the input, and at the residual if there is one.
    pub fn gradient(&self, seen: Seen<'_>, dx: &mut [f32], mut dr: Option<&mut [f32]>) {
        let Channel {
            mean,
            inverse,
            scale,
            bias,
            mean_dz,
            mean_product,
            ..
        } = *self;
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                let mut dz = [0f32; BLOCK];
                for (i, dx) in dx.chunks_mut(BLOCK).enumerate() {
                    let at = i * BLOCK..i * BLOCK + dx.len();
                    let (x, dy) = (&seen.x[at.clone()], &seen.dy[at.clone()]);
                    let dz = &mut dz[..dx.len()];
                    let passed = |z: f32, dy: f32| if z > 0.0 { dy } else { 0.0 };
                    match self.mask {
                        mask::NONE => dz.copy_from_slice(dy),
                        mask::INPUT => (dz.iter_mut().zip(x).zip(dy))
                            .for_each(|((dz, x), &dy)| *dz = passed((x - mean) * scale + bias, dy)),
                        _ => (dz.iter_mut().zip(&seen.y[at]).zip(dy))
                            .for_each(|((dz, &y), &dy)| *dz = passed(y, dy)),
                    }
                    for ((dx, x), dz) in dx.iter_mut().zip(x).zip(&*dz) {
                        *dx = scale * ((dz - mean_dz) - (x - mean) * inverse * mean_product);
                    }
                    if let Some(dr) = &mut dr {
                        let dr = &mut dr[i * BLOCK..][..dz.len()];
                        if self.adds {
                            dr.iter_mut().zip(dz).for_each(|(dr, dz)| *dr += *dz);
                        } else {
                            dr.copy_from_slice(dz);
                        }
                    }
                }
            },
        );
    }
}
