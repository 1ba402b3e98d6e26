//! SDDMM, the sampled dense-dense product: gradients of listed connections alone, active or candidate.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::arena::LayerSpan;
use super::lanes::dots;
use super::pieces::rows_per_task;

crate::kernel! {
    /// `output[j] = sum over i of input[a, i] * delta[b, i]` for each listed pair j = (a, b): `delta · h^T` at sampled
    /// indices; or adds that to it.
    ///
    /// The pairs are compressed sparse rows: the arena's own for the weight gradient, a round's candidates for their
    /// scores. Shapes: `input` `[n_in][stride]`, `delta` `[n_out][stride]`; padding lanes of `delta` are zero.
    /// Grid: [`Groups`](crate::engine::Grid::Groups), one per row of the layer. Bound by the loads of `input`.
    pub Sddmm, SddmmParams, SddmmTwin = "sparse/sddmm", shader!("sparse/sddmm");
    params {
        /// Output units of the layer.
        rows: u32,
        /// `stride / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// 1: add to what is there.
        accumulate: u32,
    }
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read delta: f32,
    write output: f32,
}

impl SddmmParams {
    /// For one layer of an arena and `stride` lanes, whichever list of its pairs is bound.
    pub fn of_layer(span: &LayerSpan, stride: usize) -> Self {
        SddmmParams {
            rows: span.n_out as u32,
            vectors: (stride / 4) as u32,
            first_row: span.first_row as u32,
            first_col: span.first_col as u32,
            accumulate: 0,
        }
    }
}

impl SddmmTwin<'_> {
    fn run(self) {
        let p = self.params;
        let stride = p.vectors as usize * 4;
        let rows = rows_per_task(p.rows as usize);
        let offsets = &self.row_offsets[p.first_row as usize..][..p.rows as usize + 1];
        let arch = pulp::Arch::new();
        // Each task's pairs are a range of the output.
        let mut rest = &mut self.output[offsets[0] as usize..];
        let mut tasks = Vec::new();
        for first in (0..p.rows as usize).step_by(rows) {
            let last = (first + rows).min(p.rows as usize);
            let (output, others) = rest.split_at_mut((offsets[last] - offsets[first]) as usize);
            rest = others;
            tasks.push(Rows {
                offsets: &offsets[first..=last],
                cols: self.cols,
                first_col: p.first_col,
                input: self.input,
                delta: &self.delta[first * stride..last * stride],
                stride,
                accumulate: p.accumulate != 0,
                output,
            });
        }
        tasks.into_par_iter().for_each(|task| arch.dispatch(task));
    }
}

/// The rows of one task; `delta` and `output` are theirs alone.
struct Rows<'a> {
    offsets: &'a [u32],
    cols: &'a [u32],
    first_col: u32,
    input: &'a [f32],
    delta: &'a [f32],
    stride: usize,
    accumulate: bool,
    output: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let base = self.offsets[0] as usize;
        let unit = |col: u32| (col - self.first_col) as usize;
        let accumulate = self.accumulate;
        let put = |output: &mut f32, sum: f32| {
            *output = if accumulate { *output + sum } else { sum };
        };
        for (row, delta) in self.delta.chunks_exact(self.stride).enumerate() {
            let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
            let output = &mut self.output[range.start - base..range.end - base];
            // Four pairs at a time share the loads of delta and hide the latency of the sums.
            let (quads, rest) = self.cols[range].as_chunks::<4>();
            let (quad_outputs, rest_outputs) = output.as_chunks_mut::<4>();
            for (cols, output) in quads.iter().zip(quad_outputs) {
                let sums = dots(simd, self.input, cols.map(unit), delta);
                output.iter_mut().zip(sums).for_each(|(o, sum)| put(o, sum));
            }
            for (&col, output) in rest.iter().zip(rest_outputs) {
                let [sum] = dots(simd, self.input, [unit(col)], delta);
                put(output, sum);
            }
        }
    }
}
