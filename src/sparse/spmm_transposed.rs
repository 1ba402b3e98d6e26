//! Transposed SpMM: a sparse layer's backward product, from the gradient at its outputs to that at its inputs.

use multiversion::multiversion;
use rayon::prelude::*;

use super::lanes::{Term, gather_sum};

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
        let Self {
            params: p,
            col_offsets,
            order,
            order_rows,
            weights,
            delta,
            activation,
            output,
        } = self;
        let stride = p.vectors as usize * 4;
        let first_col = p.first_col as usize;
        output[..p.cols as usize * stride]
            .par_chunks_exact_mut(stride)
            .enumerate()
            .with_min_len(16)
            .for_each(|(unit, out)| {
                let col = first_col + unit;
                let range = col_offsets[col] as usize..col_offsets[col + 1] as usize;
                let mask = (p.relu != 0).then(|| &activation[unit * stride..(unit + 1) * stride]);
                spmm_transposed_row(
                    &order[range.clone()],
                    &order_rows[range],
                    weights,
                    p.first_row,
                    delta,
                    mask,
                    out,
                );
            });
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
fn spmm_transposed_row(
    order: &[u32],
    order_rows: &[u32],
    weights: &[f32],
    first_row: u32,
    delta: &[f32],
    mask: Option<&[f32]>,
    output: &mut [f32],
) {
    let stride = output.len();
    let term = |t: usize| Term {
        weight: weights[order[t] as usize],
        start: (order_rows[t] - first_row) as usize * stride,
    };
    match mask {
        Some(h) => gather_sum(delta, order.len(), term, 0.0, output, |sum, lane| {
            if h[lane] > 0.0 { sum } else { 0.0 }
        }),
        None => gather_sum(delta, order.len(), term, 0.0, output, |sum, _| sum),
    }
}
