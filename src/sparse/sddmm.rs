//! SDDMM, the sampled dense-dense product: gradients of listed connections alone, active or candidate.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::arena::LayerSpan;
use super::dots::{PARTIAL, Partial, add_products, dots, fold, row_blocks};
use super::pieces::rows_per_task;
use crate::engine::Grid;

crate::kernel! {
    /// `output[j] = sum over i of input[a, i] * delta[b, i]` for each listed pair j = (a, b): `delta · h^T` at sampled
    /// indices; or adds that to it.
    ///
    /// The pairs are compressed sparse rows: the arena's own for the weight gradient, a round's candidates for their
    /// scores. Shapes: `input` `[n_in][lanes]`, `delta` `[n_out][lanes]`; padding lanes of `delta` are zero.
    /// Grid: [`SddmmParams::grid`]. Bound by the loads of `input`.
    pub Sddmm, SddmmParams, SddmmTwin = "sparse/sddmm", shader!("sparse/sddmm");
    params {
        /// Output units of the layer.
        rows: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// 1: add to what is there.
        accumulate: u32,
        /// Workgroups that share a row's pairs: at least 1.
        chunks: u32,
    }
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read delta: f32,
    write output: f32,
}

/// Lanes that the twin sums a pair over at once; layers of more lanes are tiled.
const WIDE: usize = 1024;

/// Words of input that the twin's tiles aim at: half a core's cache of 1 MiB.
const TILE_WORDS: usize = 1 << 17;

impl SddmmParams {
    /// For one layer of an arena, whichever list of its pairs is bound. `lanes`: all lanes of a unit, those of all its
    /// positions.
    pub fn new(span: &LayerSpan, lanes: usize, accumulate: bool) -> Self {
        SddmmParams {
            rows: span.n_out as u32,
            vectors: (lanes / 4) as u32,
            first_row: span.first_row as u32,
            first_col: span.first_col as u32,
            accumulate: u32::from(accumulate),
            // Layers of many positions tend to have few rows and much work in each.
            chunks: if lanes > WIDE { 8 } else { 1 },
        }
    }

    /// The grid: `chunks` workgroups a row.
    pub fn grid(&self) -> Grid {
        Grid::Groups(self.rows as usize * self.chunks as usize)
    }
}

impl SddmmTwin<'_> {
    fn run(self) {
        let p = self.params;
        let stride = p.vectors as usize * 4;
        let offsets = &self.row_offsets[p.first_row as usize..][..p.rows as usize + 1];
        let (blocks, tile) = if stride > WIDE {
            let units = self.input.len() / stride;
            let tile = (TILE_WORDS / units.max(1)).clamp(128, WIDE);
            let blocks = row_blocks(offsets, rayon::current_num_threads());
            (blocks, tile / PARTIAL * PARTIAL)
        } else {
            let rows = p.rows as usize;
            let step = rows_per_task(rows);
            let starts = (0..rows).step_by(step);
            let blocks = starts.map(|first| first..(first + step).min(rows));
            (blocks.collect(), stride)
        };
        let arch = pulp::Arch::new();
        // Each task's pairs are a range of the output.
        let mut rest = &mut self.output[offsets[0] as usize..];
        let mut tasks = Vec::new();
        for block in blocks {
            let pairs = offsets[block.end] - offsets[block.start];
            let (output, others) = rest.split_at_mut(pairs as usize);
            rest = others;
            tasks.push(Rows {
                offsets: &offsets[block.start..=block.end],
                cols: self.cols,
                first_col: p.first_col,
                input: self.input,
                delta: &self.delta[block.start * stride..block.end * stride],
                stride,
                tile,
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
    /// Lanes of a tile: `stride` where there is but one.
    tile: usize,
    accumulate: bool,
    output: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.tile < self.stride {
            self.tiled(simd);
        } else {
            self.whole(simd);
        }
    }
}

impl Rows<'_> {
    /// Each pair in one go: its partial sums never leave the registers.
    #[inline(always)]
    fn whole<S: Simd>(self, simd: S) {
        let base = self.offsets[0] as usize;
        let row_of = |col: u32| {
            let unit = (col - self.first_col) as usize;
            &self.input[unit * self.stride..][..self.stride]
        };
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
                let sums = dots(simd, cols.map(row_of), delta);
                output.iter_mut().zip(sums).for_each(|(o, sum)| put(o, sum));
            }
            for (&col, output) in rest.iter().zip(rest_outputs) {
                let [sum] = dots(simd, [row_of(col)], delta);
                put(output, sum);
            }
        }
    }

    /// Tile of lanes by tile, all rows in each, so that the tile of the input stays in the cache; the same bits.
    #[inline(always)]
    fn tiled<S: Simd>(self, simd: S) {
        let base = self.offsets[0] as usize;
        let mut partial = vec![[0f32; PARTIAL]; self.output.len()];
        for first in (0..self.stride).step_by(self.tile) {
            let lanes = self.tile.min(self.stride - first);
            let start = |col: u32| (col - self.first_col) as usize * self.stride + first;
            for (row, delta) in self.delta.chunks_exact(self.stride).enumerate() {
                let delta = &delta[first..first + lanes];
                let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
                let partial = &mut partial[range.start - base..range.end - base];
                let (quads, rest) = self.cols[range].as_chunks::<4>();
                let (quad_sums, rest_sums) = partial.as_chunks_mut::<4>();
                for (cols, sums) in quads.iter().zip(quad_sums) {
                    let starts = cols.map(start);
                    *sums = add_products(simd, self.input, starts, lanes, delta, lanes, *sums);
                }
                for (&col, sum) in rest.iter().zip(rest_sums) {
                    let starts = [start(col)];
                    [*sum] = add_products(simd, self.input, starts, lanes, delta, lanes, [*sum]);
                }
            }
        }
        put(simd, &partial, self.accumulate, self.output);
    }
}

/// Finishes the products of a task.
#[inline(always)]
pub(super) fn put<S: Simd>(simd: S, partial: &[Partial], accumulate: bool, output: &mut [f32]) {
    for (output, partial) in output.iter_mut().zip(partial) {
        let sum = fold(simd, partial);
        *output = if accumulate { *output + sum } else { sum };
    }
}
