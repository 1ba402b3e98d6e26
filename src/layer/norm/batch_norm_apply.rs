//! Batch norm's output, with the optional addition and ReLU after it.

use super::lanes::{clear_padding, for_each_part, tile};
use super::shared::NormParams;
use crate::engine::StepState;

crate::kernel! {
    /// `output = relu?((input - mean) / deviation * weight + bias (+ residual))`; padding lanes become zero.
    ///
    /// Shapes: `input`, `residual` (read only if requested) and `output` `[channels][positions][lanes]`, `saved`
    /// `[2][channels]`, `values` that of [`Parameters`](crate::layer::Parameters). Grid:
    /// [`Groups`](crate::engine::Grid::Groups) = channels × tiles. Bound by memory.
    pub BatchNormApply, BatchNormApplyParams, BatchNormApplyTwin =
        "layer/norm/batch_norm_apply", shader!("layer/norm/batch_norm_apply");
    params {
        /// The norm.
        norm: NormParams,
        /// Positions of a tile; the last tile of a plane may have fewer.
        tile: u32,
        /// Tiles per plane.
        tiles: u32,
    }
    loops |p, shape| tile(p.norm.vectors, p.tile, shape);
    uniform step: StepState,
    read input: f32,
    read residual: f32,
    read saved: f32,
    read values: f32,
    write output: f32,
}

impl BatchNormApplyTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let lanes = p.norm.vectors as usize * 4;
        let plane = p.norm.positions as usize * lanes;
        let channels = p.norm.channels as usize;
        let output = &mut self.output[..channels * plane];
        for_each_part(output, plane, lanes, |c, offset, y| {
            let range = c * plane + offset..c * plane + offset + y.len();
            let channel = Channel {
                mean: self.saved[c],
                scale: self.saved[channels + c] * self.values[p.norm.weight as usize + c],
                bias: self.values[p.norm.bias as usize + c],
                relu: p.norm.relu != 0,
            };
            let residual = (p.norm.add != 0).then(|| &self.residual[range.clone()]);
            channel.apply(y, &self.input[range], residual);
            clear_padding(y, lanes, self.step.count as usize);
        });
    }
}

/// What is applied to a channel's values.
pub(super) struct Channel {
    pub mean: f32,
    /// Weight times `1 / standard deviation`.
    pub scale: f32,
    pub bias: f32,
    pub relu: bool,
}

impl Channel {
    pub fn apply(&self, y: &mut [f32], x: &[f32], residual: Option<&[f32]>) {
        let Channel {
            mean, scale, bias, ..
        } = *self;
        let normal = |x: f32| (x - mean) * scale + bias;
        // A NaN stays NaN, so that a diverged run is visible.
        let relu = |z: f32| if z < 0.0 { 0.0 } else { z };
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || match (residual, self.relu) {
                (None, false) => y.iter_mut().zip(x).for_each(|(y, &x)| *y = normal(x)),
                (None, true) => y.iter_mut().zip(x).for_each(|(y, &x)| *y = relu(normal(x))),
                (Some(residual), false) => {
                    (y.iter_mut().zip(x).zip(residual)).for_each(|((y, &x), r)| *y = normal(x) + r)
                }
                (Some(residual), true) => (y.iter_mut().zip(x).zip(residual))
                    .for_each(|((y, &x), r)| *y = relu(normal(x) + r)),
            },
        );
    }
}
