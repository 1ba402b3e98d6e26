//! What the CPU twins of a batch norm sum over a tile of a plane.

use pulp::{Simd, WithSimd};

use super::lanes::sums;
use super::shared::mask;

/// A tile for which mean and variance are computed.
pub(super) struct StatisticsTile<'a> {
    pub input: &'a [f32],
    pub lanes: usize,
    /// Number of lanes with samples.
    pub count: usize,
}

impl StatisticsTile<'_> {
    /// Mean, and sum of squared differences from it.
    pub fn statistics(self) -> [f32; 2] {
        pulp::Arch::new().dispatch(self)
    }
}

impl WithSimd for StatisticsTile<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
        let StatisticsTile {
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
        // The rounding error of the mean is removed from both.
        let shift = rest / n;
        [mean + shift, squares - rest * shift]
    }
}

/// A tile whose gradients are summed.
pub(super) struct SumsTile<'a> {
    pub input: &'a [f32],
    pub delta: &'a [f32],
    /// Empty unless the mask comes from it.
    pub activation: &'a [f32],
    pub lanes: usize,
    /// Number of lanes with samples.
    pub count: usize,
    pub mask: u32,
    pub mean: f32,
    pub inverse: f32,
    pub scale: f32,
    pub bias: f32,
}

impl SumsTile<'_> {
    /// Sums of the gradient, and of the gradient times the normalised input.
    pub fn sums(self) -> [f32; 2] {
        pulp::Arch::new().dispatch(self)
    }
}

impl WithSimd for SumsTile<'_> {
    type Output = [f32; 2];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
        let [zero, mean, inverse, scale, bias] =
            [0.0, self.mean, self.inverse, self.scale, self.bias].map(|x| simd.splat_f32s(x));
        let (lanes, count) = (self.lanes, self.count);
        let of_input = [self.input, self.delta];
        // Closures that are not part of the loop's function would not use wide vectors: hence the attributes.
        match self.mask {
            mask::NONE => sums(
                simd,
                of_input,
                lanes,
                count,
                #[inline(always)]
                |[x, dz]| {
                    let normal = simd.mul_f32s(simd.sub_f32s(x, mean), inverse);
                    [dz, simd.mul_f32s(dz, normal)]
                },
            ),
            mask::INPUT => sums(
                simd,
                of_input,
                lanes,
                count,
                #[inline(always)]
                |[x, dy]| {
                    let away = simd.sub_f32s(x, mean);
                    let z = simd.add_f32s(simd.mul_f32s(away, scale), bias);
                    let dz = simd.select_f32s(simd.greater_than_f32s(z, zero), dy, zero);
                    [dz, simd.mul_f32s(dz, simd.mul_f32s(away, inverse))]
                },
            ),
            _ => sums(
                simd,
                [self.input, self.delta, self.activation],
                lanes,
                count,
                #[inline(always)]
                |[x, dy, y]| {
                    let dz = simd.select_f32s(simd.greater_than_f32s(y, zero), dy, zero);
                    let normal = simd.mul_f32s(simd.sub_f32s(x, mean), inverse);
                    [dz, simd.mul_f32s(dz, normal)]
                },
            ),
        }
    }
}
