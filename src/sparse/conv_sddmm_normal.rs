//! SDDMM of a convolution after a batch norm whose output was dropped.

use super::conv_sddmm::{ConvSddmmParams, ConvSddmmTwin};
use super::through_norm::through_norm;
use crate::engine::{ShapeFamily, StepState};
use crate::window::WindowParams;

crate::kernel! {
    /// As [`ConvSddmm`](super::ConvSddmm), where the input h is the output of a batch norm, with an optional ReLU: it
    /// is computed from the norm's `input` at each load, which saves a pass that writes it and one that reads it.
    ///
    /// Shapes as there; `input` `[channels][input positions][lanes]`, `saved` `[4][channels]`: mean, `1 / standard
    /// deviation`, weight and bias of the norm. Grid: [`ConvSddmmParams::grid`].
    pub ConvSddmmNormal, ConvSddmmNormalParams, ConvSddmmNormalTwin =
        "sparse/conv_sddmm_normal", shader!("sparse/conv_sddmm_normal");
    params {
        /// The planes and the window.
        window: WindowParams,
        /// Output channels of the layer.
        rows: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// 1: add to the existing values.
        accumulate: u32,
        /// `1 / vectors`: see `shaders/lib/divide.wgsl`.
        inverse_vectors: f32,
        /// Input units of the layer: no row has more pairs.
        cols: u32,
        /// Slices of the output's lines of positions: 1 if they are not split.
        slices: u32,
        /// Words of `gradient` from one slice's gradients to the next's.
        stride: u32,
        /// 1: negative outputs of the norm become zero.
        relu: u32,
    }
    pieces |p, _, shape| p.product().cut(ShapeFamily::Hardware, shape);
    uniform step: StepState,
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read saved: f32,
    read delta: f32,
    write gradient: f32,
}

impl ConvSddmmNormalParams {
    /// Those of the product, with a norm in front of it.
    pub fn new(product: ConvSddmmParams, relu: bool) -> Self {
        ConvSddmmNormalParams {
            window: product.window,
            rows: product.rows,
            vectors: product.vectors,
            first_row: product.first_row,
            first_col: product.first_col,
            accumulate: product.accumulate,
            inverse_vectors: product.inverse_vectors,
            cols: product.cols,
            slices: product.slices,
            stride: product.stride,
            relu: relu.into(),
        }
    }

    fn product(&self) -> ConvSddmmParams {
        ConvSddmmParams {
            window: self.window,
            rows: self.rows,
            vectors: self.vectors,
            first_row: self.first_row,
            first_col: self.first_col,
            accumulate: self.accumulate,
            inverse_vectors: self.inverse_vectors,
            cols: self.cols,
            slices: self.slices,
            stride: self.stride,
        }
    }
}

impl ConvSddmmNormalTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let (lanes, count) = (p.vectors as usize * 4, self.step.count as usize);
        let plane = (p.window.input_y * p.window.input_x) as usize * lanes;
        let input = through_norm(
            self.input,
            [p.window.channels as usize, plane],
            self.saved,
            p.relu != 0,
            |i| i % lanes < count,
        );
        ConvSddmmTwin {
            params: p.product(),
            row_offsets: self.row_offsets,
            cols: self.cols,
            input: &input,
            delta: self.delta,
            gradient: self.gradient,
        }
        .run();
    }
}
