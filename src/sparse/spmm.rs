//! SpMM: the forward product of a sparse layer with its batch.

use multiversion::multiversion;
use rayon::prelude::*;

use super::lanes::{Term, gather_sum};

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
        let Self {
            params: p,
            row_offsets,
            cols,
            weights,
            bias,
            input,
            output,
        } = self;
        let stride = p.vectors as usize * 4;
        let first_row = p.first_row as usize;
        output[..p.rows as usize * stride]
            .par_chunks_exact_mut(stride)
            .enumerate()
            .with_min_len(16)
            .for_each(|(row, out)| {
                let row = first_row + row;
                let range = row_offsets[row] as usize..row_offsets[row + 1] as usize;
                spmm_row(
                    &cols[range.clone()],
                    &weights[range],
                    p.first_col,
                    bias[row],
                    input,
                    out,
                    p.relu != 0,
                );
            });
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
fn spmm_row(
    cols: &[u32],
    weights: &[f32],
    first_col: u32,
    bias: f32,
    input: &[f32],
    output: &mut [f32],
    relu: bool,
) {
    let stride = output.len();
    let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
    let term = |t: usize| Term {
        weight: weights[t],
        start: (cols[t] - first_col) as usize * stride,
    };
    // Written so that a NaN sum stays a NaN: a diverged run must show.
    let clamp = |sum: f32, _| if sum < floor { floor } else { sum };
    gather_sum(input, cols.len(), term, bias, output, clamp);
}
