//! Transposed SpMM: a sparse layer's backward product, from the gradient at its outputs to that at its inputs.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::lanes::{Term, gather_sum, rows_per_task};

crate::kernel! {
    /// `output[a, i] = sum over connections (a, b) of weight * delta[b, i]`, zero where `activation[a, i]` is not above zero.
    ///
    /// The mask is the backward of the ReLU that made `activation`, the layer's input. Shapes: `delta` `[n_out][stride]`,
    /// `activation` and `output` `[n_in][stride]`. Grid: [`Rows`](crate::engine::Grid::Rows) = inputs of the layer.
    /// Gathered in the arena's transposed order, so nothing is scattered; bound by the loads of `delta`.
    pub SpmmTransposed, SpmmTransposedParams, SpmmTransposedTwin =
        "sparse/spmm_transposed", shader!("sparse/spmm_transposed");
    params {
        /// Input units of the layer.
        cols: u32,
        /// `stride / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// 1: mask by `activation`.
        relu: u32,
    }
    read col_offsets: u32,
    read order: u32,
    read order_rows: u32,
    read weights: f32,
    read delta: f32,
    read activation: f32,
    write output: f32,
}

impl SpmmTransposedTwin<'_> {
    fn run(self) {
        let stride = self.params.vectors as usize * 4;
        let units = rows_per_task(self.params.cols as usize);
        let output = &mut self.output[..self.params.cols as usize * stride];
        let arch = pulp::Arch::new();
        output
            .par_chunks_mut(units * stride)
            .enumerate()
            .for_each(|(task, output)| {
                let first_unit = task * units;
                arch.dispatch(Columns {
                    first_col: self.params.first_col as usize + first_unit,
                    first_row: self.params.first_row,
                    stride,
                    col_offsets: self.col_offsets,
                    order: self.order,
                    order_rows: self.order_rows,
                    weights: self.weights,
                    delta: self.delta,
                    activation: (self.params.relu != 0)
                        .then(|| &self.activation[first_unit * stride..][..output.len()]),
                    output,
                });
            });
    }
}

/// The columns of one task, from `first_col` of the arena on.
struct Columns<'a> {
    first_col: usize,
    first_row: u32,
    stride: usize,
    col_offsets: &'a [u32],
    order: &'a [u32],
    order_rows: &'a [u32],
    weights: &'a [f32],
    delta: &'a [f32],
    activation: Option<&'a [f32]>,
    output: &'a mut [f32],
}

impl WithSimd for Columns<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (i, output) in self.output.chunks_exact_mut(self.stride).enumerate() {
            let col = self.first_col + i;
            let range = self.col_offsets[col] as usize..self.col_offsets[col + 1] as usize;
            let pairs = self.order[range.clone()]
                .iter()
                .zip(&self.order_rows[range]);
            let terms = pairs.map(|(&j, &row)| Term {
                weight: self.weights[j as usize],
                unit: (row - self.first_row) as usize,
            });
            gather_sum(simd, self.delta, terms, 0.0, output);
            if let Some(activation) = self.activation {
                for (dx, x) in output.iter_mut().zip(&activation[i * self.stride..]) {
                    *dx = if *x > 0.0 { *dx } else { 0.0 };
                }
            }
        }
    }
}
