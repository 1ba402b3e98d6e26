//! All of a layer norm's backward pass in one dispatch.

use super::layer_norm_backward::{LayerNormBackwardParams, LayerNormBackwardTwin};
use super::layer_norm_gradients::{LayerNormGradientsParams, LayerNormGradientsTwin};
use crate::engine::loops::{NONE, Piece, looped, workgroup_sum};
use crate::engine::{Grid, WorkgroupShape};

crate::kernel! {
    /// [`struct@LayerNormGradients`](super::LayerNormGradients) and
    /// [`struct@LayerNormBackward`](super::LayerNormBackward), which do not wait for each other: each has its own
    /// workgroups, with the same sums.
    ///
    /// Shapes as theirs. Grid: [`Groups`](crate::engine::Grid::Groups) = channels, plus those for the items, which
    /// depend on the workgroup shape.
    pub LayerNormWholeBackward, LayerNormWholeBackwardParams, LayerNormWholeBackwardTwin =
        "layer/norm/layer_norm_whole_backward", shader!("layer/norm/layer_norm_whole_backward");
    params {
        /// Channels.
        channels: u32,
        /// Vectors of four lanes of a channel: `positions * lanes / 4`.
        items: u32,
        /// Start of the channels' weights.
        weight: u32,
        /// Start of their biases.
        bias: u32,
        /// 1: add to the existing gradients of parameters.
        accumulate: u32,
        /// 1: add to the existing gradient at the input.
        add: u32,
    }
    pieces LayerNormWholeBackwardParams::pieces;
    read input: f32,
    read delta: f32,
    read saved: f32,
    read values: f32,
    write gradient: f32,
    write output: f32,
}

impl LayerNormWholeBackwardParams {
    fn at_input(&self) -> LayerNormBackwardParams {
        LayerNormBackwardParams {
            channels: self.channels,
            items: self.items,
            weight: self.weight,
            accumulate: self.add,
        }
    }

    /// The gradients of parameters take some items per piece; the first piece has all of the gradient at the input.
    fn pieces(&self, _: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let (width, channels) = (shape.lanes() * shape.rows(), self.channels as usize);
        let at_input = self.at_input().loops(shape);
        let mut pieces = Piece::dealt(Grid::Groups(channels), self.items, width, |turns| {
            looped(turns, NONE) + workgroup_sum(shape) + at_input
        });
        if let Some(first) = pieces.first_mut() {
            first.grid = Grid::Groups(self.items.div_ceil(shape.lanes()) as usize + channels);
        }
        pieces
    }
}

impl LayerNormWholeBackwardTwin<'_> {
    fn run(self) {
        let p = self.params;
        LayerNormGradientsTwin {
            params: LayerNormGradientsParams {
                channels: p.channels,
                items: p.items,
                weight: p.weight,
                bias: p.bias,
                accumulate: p.accumulate,
            },
            input: self.input,
            delta: self.delta,
            saved: self.saved,
            gradient: self.gradient,
        }
        .run();
        LayerNormBackwardTwin {
            params: p.at_input(),
            input: self.input,
            delta: self.delta,
            saved: self.saved,
            values: self.values,
            output: self.output,
        }
        .run();
    }
}
