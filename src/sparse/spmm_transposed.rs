//! Transposed SpMM: a sparse layer's backward product, from the gradient at its outputs to that at its inputs.

use pulp::Simd;

use super::arena::LayerSpan;
use super::spmm::{PRODUCTS, tiled, tiled_pieces};
use crate::engine::loops::Piece;
use crate::engine::{Grid, WorkgroupShape};
use crate::twin::lanes::{Ends, Term, gather_sum};
use crate::twin::pieces::{Rows, write_rows};

crate::kernel! {
    /// `output[a, i] = sum over connections (a, b) of weight * delta[b, i]`, or adds to it; then zero where
    /// `activation[a, i]` is not above zero.
    ///
    /// The mask is the backward pass of the ReLU that made `activation`, the layer's input. Shapes: `delta`
    /// `[n_out][lanes]`, `activation` and `output` `[n_in][lanes]`; `lanes` may be the batch times the positions that
    /// the layer is applied to. Without the mask, `activation` is not read. Grid: [`SpmmTransposedParams::grid`].
    /// Gathered in the arena's transposed order, so nothing is scattered; bound by the loads of `delta`.
    pub SpmmTransposed, SpmmTransposedParams, SpmmTransposedTwin =
        "sparse/spmm_transposed", shader!("sparse/spmm_transposed"),
        variants PRODUCTS, |params| params.vectors;
    params {
        /// Input units of the layer.
        cols: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// 1: mask by `activation`, including the existing values.
        relu: u32,
        /// 1: add to the existing values.
        accumulate: u32,
        /// Output units of the layer: no column has more connections.
        rows: u32,
    }
    pieces SpmmTransposedParams::pieces;
    read col_offsets: u32,
    read order: u32,
    read order_rows: u32,
    read weights: f32,
    read delta: f32,
    read activation: f32,
    write output: f32,
}

impl SpmmTransposedParams {
    /// Parameters for one layer of an arena, with `lanes` lanes; `relu`: whether to mask by the activation.
    pub fn of_layer(span: &LayerSpan, lanes: usize, relu: bool, accumulate: bool) -> Self {
        SpmmTransposedParams {
            cols: span.n_in as u32,
            vectors: (lanes / 4) as u32,
            first_row: span.first_row as u32,
            first_col: span.first_col as u32,
            relu: relu.into(),
            accumulate: accumulate.into(),
            rows: span.n_out as u32,
        }
    }

    /// The grid that the kernel needs.
    pub fn grid(&self) -> Grid {
        tiled(self.cols, self.vectors)
    }

    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        tiled_pieces(self.vectors, self.rows, grid, shape)
    }
}

impl SpmmTransposedTwin<'_> {
    pub(crate) fn run(self) {
        let (cols, lanes) = (self.params.cols as usize, self.params.vectors as usize * 4);
        let product = Product {
            params: self.params,
            col_offsets: self.col_offsets,
            order: self.order,
            order_rows: self.order_rows,
            weights: self.weights,
            delta: self.delta,
            activation: self.activation,
            lanes,
        };
        let output = &mut self.output[..cols * lanes];
        write_rows(&product, self.delta.len(), lanes, output);
    }
}

/// What the product reads.
struct Product<'a> {
    params: SpmmTransposedParams,
    col_offsets: &'a [u32],
    order: &'a [u32],
    order_rows: &'a [u32],
    weights: &'a [f32],
    delta: &'a [f32],
    activation: &'a [f32],
    lanes: usize,
}

impl Rows for Product<'_> {
    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, unit: usize, lane: usize, output: &mut [f32]) {
        let col = self.params.first_col as usize + unit;
        let range = self.col_offsets[col] as usize..self.col_offsets[col + 1] as usize;
        let pairs = self.order[range.clone()]
            .iter()
            .zip(&self.order_rows[range]);
        let terms = pairs.map(|(&j, &row)| Term {
            weight: self.weights[j as usize],
            start: (row - self.params.first_row) as usize * self.lanes + lane,
        });
        let ends = Ends {
            initial: (self.params.accumulate == 0).then_some(0.0),
            relu: false,
        };
        gather_sum(simd, self.delta, terms, ends, output);
        if self.params.relu != 0 {
            let activation = &self.activation[unit * self.lanes + lane..];
            for (dx, x) in output.iter_mut().zip(activation) {
                *dx = if *x > 0.0 { *dx } else { 0.0 };
            }
        }
    }
}
