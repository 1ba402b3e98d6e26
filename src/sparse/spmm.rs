//! SpMM: the forward product of a sparse layer with its batch.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::lanes::{Term, gather_sum, rows_per_task};

crate::kernel! {
    /// `output[b, i] = bias[b] + sum over connections (a, b) of weight * input[a, i]`, then ReLU if asked for.
    ///
    /// Shapes: `input` `[n_in][stride]`, `output` `[n_out][stride]`, `bias` all rows of the arena.
    /// Grid: [`Rows`](crate::engine::Grid::Rows) of the layer. Bound by the loads of `input`: one per connection and lane.
    pub Spmm, SpmmParams, SpmmTwin = "sparse/spmm", shader!("sparse/spmm");
    params {
        /// Output units of the layer.
        rows: u32,
        /// `stride / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// 1: negative sums become zero.
        relu: u32,
    }
    read row_offsets: u32,
    read cols: u32,
    read weights: f32,
    read bias: f32,
    read input: f32,
    write output: f32,
}

impl SpmmTwin<'_> {
    fn run(self) {
        let stride = self.params.vectors as usize * 4;
        let rows = rows_per_task(self.params.rows as usize);
        let output = &mut self.output[..self.params.rows as usize * stride];
        let arch = pulp::Arch::new();
        output
            .par_chunks_mut(rows * stride)
            .enumerate()
            .for_each(|(task, output)| {
                arch.dispatch(Rows {
                    first_row: self.params.first_row as usize + task * rows,
                    first_col: self.params.first_col,
                    stride,
                    relu: self.params.relu != 0,
                    row_offsets: self.row_offsets,
                    cols: self.cols,
                    weights: self.weights,
                    bias: self.bias,
                    input: self.input,
                    output,
                });
            });
    }
}

/// The rows of one task, from `first_row` of the arena on.
struct Rows<'a> {
    first_row: usize,
    first_col: u32,
    stride: usize,
    relu: bool,
    row_offsets: &'a [u32],
    cols: &'a [u32],
    weights: &'a [f32],
    bias: &'a [f32],
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (i, output) in self.output.chunks_exact_mut(self.stride).enumerate() {
            let row = self.first_row + i;
            let range = self.row_offsets[row] as usize..self.row_offsets[row + 1] as usize;
            let pairs = self.cols[range.clone()].iter().zip(&self.weights[range]);
            let terms = pairs.map(|(&col, &weight)| Term {
                weight,
                unit: (col - self.first_col) as usize,
            });
            gather_sum(simd, self.input, terms, self.bias[row], output);
            if self.relu {
                // A NaN stays a NaN, so that a diverged run shows.
                for y in output {
                    *y = if *y < 0.0 { 0.0 } else { *y };
                }
            }
        }
    }
}
