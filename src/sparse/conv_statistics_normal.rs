//! The convolution before a batch norm and after another one whose output was never written.

use super::conv_list::FOUR;
use super::conv_statistics::{ConvStatisticsParams, ConvStatisticsTwin};
use super::through_norm::through_norm;
use crate::engine::StepState;
use crate::window::WindowParams;

crate::kernel! {
    /// As [`ConvStatistics`](super::ConvStatistics), where the input is the output of a batch norm, with an optional
    /// ReLU: it is computed from the norm's `input` at each load, which saves a pass that writes it and one that reads
    /// it.
    ///
    /// Shapes as there; `saved` `[4][channels]`: mean, `1 / standard deviation`, weight and bias of the norm.
    pub ConvStatisticsNormal, ConvStatisticsNormalParams, ConvStatisticsNormalTwin =
        "sparse/conv_statistics_normal", shader!("sparse/conv_statistics_normal"),
        variants FOUR, |_| u32::MAX;
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
        /// Number of parts of a plane.
        parts: u32,
        /// Items per part: tiles of four positions, for four lanes each.
        part_items: u32,
        /// 1: negative outputs of the norm become zero.
        relu: u32,
    }
    loops |p, shape| p.product().loops(shape);
    uniform step: StepState,
    read row_offsets: u32,
    read cols: u32,
    read weights: f32,
    read bias: f32,
    read input: f32,
    read saved: f32,
    write output: f32,
    write parts: f32,
}

impl ConvStatisticsNormalParams {
    /// Those of the product, with a norm in front of it.
    pub fn new(product: ConvStatisticsParams, relu: bool) -> Self {
        ConvStatisticsNormalParams {
            window: product.window,
            rows: product.rows,
            vectors: product.vectors,
            first_row: product.first_row,
            first_col: product.first_col,
            parts: product.parts,
            part_items: product.part_items,
            relu: relu.into(),
        }
    }

    fn product(&self) -> ConvStatisticsParams {
        ConvStatisticsParams {
            window: self.window,
            rows: self.rows,
            vectors: self.vectors,
            first_row: self.first_row,
            first_col: self.first_col,
            parts: self.parts,
            part_items: self.part_items,
        }
    }
}

impl ConvStatisticsNormalTwin<'_> {
    fn run(self) {
        let p = self.params;
        let plane = (p.window.input_y * p.window.input_x * p.vectors * 4) as usize;
        let sizes = [p.window.channels as usize, plane];
        // Padding may hold any number.
        let input = through_norm(self.input, sizes, self.saved, p.relu != 0, |_| true);
        ConvStatisticsTwin {
            params: p.product(),
            step: self.step,
            row_offsets: self.row_offsets,
            cols: self.cols,
            weights: self.weights,
            bias: self.bias,
            input: &input,
            output: self.output,
            parts: self.parts,
        }
        .run();
    }
}
