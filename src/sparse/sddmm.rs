//! SDDMM, the sampled dense-dense product: gradients of listed connections alone, active or candidate.

use multiversion::multiversion;
use rayon::prelude::*;

use super::lanes::dots;

crate::kernel! {
    /// `output[j] = sum over i of input[a, i] * delta[b, i]` for each listed pair j = (a, b): `delta · h^T` at sampled indices.
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
    }
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read delta: f32,
    write output: f32,
}

impl SddmmTwin<'_> {
    fn run(self) {
        let Self {
            params: p,
            row_offsets,
            cols,
            input,
            delta,
            output,
        } = self;
        let stride = p.vectors as usize * 4;
        let offsets = &row_offsets[p.first_row as usize..][..p.rows as usize + 1];
        let range = offsets[0] as usize..offsets[p.rows as usize] as usize;
        let mut rest = &mut output[range];
        let mut jobs = Vec::with_capacity(p.rows as usize);
        for row in 0..p.rows as usize {
            let nonzeros = offsets[row] as usize..offsets[row + 1] as usize;
            let (own, others) = rest.split_at_mut(nonzeros.len());
            rest = others;
            jobs.push((row, &cols[nonzeros], own));
        }
        jobs.into_par_iter()
            .with_min_len(16)
            .for_each(|(row, cols, out)| {
                sddmm_row(
                    cols,
                    p.first_col,
                    input,
                    &delta[row * stride..(row + 1) * stride],
                    out,
                );
            });
    }
}

#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512dq+avx2+fma",
    "x86_64+avx2+fma"
))]
fn sddmm_row(cols: &[u32], first_col: u32, input: &[f32], delta: &[f32], output: &mut [f32]) {
    let start = |col: u32| (col - first_col) as usize * delta.len();
    let mut j = 0;
    while j + 4 <= cols.len() {
        let starts = [cols[j], cols[j + 1], cols[j + 2], cols[j + 3]].map(start);
        output[j..j + 4].copy_from_slice(&dots(input, starts, delta));
        j += 4;
    }
    while j < cols.len() {
        [output[j]] = dots(input, [start(cols[j])], delta);
        j += 1;
    }
}
