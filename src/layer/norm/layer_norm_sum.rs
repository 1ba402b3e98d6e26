//! Layer norm, forward, of a sum that is also written: the residual stream of a transformer.

use super::layer_norm_forward::{LayerNormForwardParams, LayerNormForwardTwin};
use crate::engine::StepState;
use crate::layer::pointwise::map;

crate::kernel! {
    /// `sum = a + b`, and [`struct@LayerNormForward`](super::LayerNormForward) of it.
    ///
    /// Shapes: `a`, `b`, `sum` and `output` `[channels][positions][lanes]`, `saved` and `values` as there. Grid:
    /// [`Items`](crate::engine::Grid::Items) = positions × vectors.
    pub LayerNormSum, LayerNormSumParams, LayerNormSumTwin =
        "layer/norm/layer_norm_sum", shader!("layer/norm/layer_norm_sum");
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
    loops |p, shape| p.of_sum().loops(shape);
    uniform step: StepState,
    read a: f32,
    read b: f32,
    read values: f32,
    write sum: f32,
    write output: f32,
    write saved: f32,
}

impl LayerNormSumParams {
    fn of_sum(&self) -> LayerNormForwardParams {
        let LayerNormSumParams {
            channels,
            positions,
            vectors,
            weight,
            bias,
            epsilon,
        } = *self;
        LayerNormForwardParams {
            channels,
            positions,
            vectors,
            weight,
            bias,
            epsilon,
        }
    }
}

impl LayerNormSumTwin<'_> {
    fn run(self) {
        let p = self.params;
        let words = (p.channels * p.positions) as usize * p.vectors as usize * 4;
        map(
            &mut self.sum[..words],
            [self.a, self.b],
            false,
            #[inline(always)]
            |[a, b]| a + b,
        );
        LayerNormForwardTwin {
            params: p.of_sum(),
            step: self.step,
            input: self.sum,
            values: self.values,
            output: self.output,
            saved: self.saved,
        }
        .run();
    }
}
