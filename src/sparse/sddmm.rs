//! SDDMM, the sampled dense-dense product: gradients of only the listed connections, active or candidate.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::arena::LayerSpan;
use crate::engine::loops::{Loops, MOST_ITERATIONS, NONE, Part, Piece, cut, looped};
use crate::engine::{Grid, ShapeFamily, WorkgroupShape};
use crate::threads::{DealOut, sharing};
use crate::twin::dots::{PARTIAL, Partial, Runs, add_products, dots, fold, row_blocks};
use crate::twin::pieces::rows_per_task;

crate::kernel! {
    /// `output[j] = sum over i of input[a, i] * delta[b, i]` for each listed pair j = (a, b): `delta · h^T` at sampled
    /// indices; or adds to it.
    ///
    /// The pairs are compressed sparse rows: the arena's own for the weight gradient, a round's candidates for their
    /// scores. Shapes: `input` `[n_in][lanes]`, `delta` `[n_out][lanes]`; padding lanes of `delta` are zero.
    /// Grid: [`SddmmParams::grid`]. Bound by the loads of `input`.
    pub Sddmm, SddmmParams, SddmmTwin = "sparse/sddmm", shader!("sparse/sddmm"),
        variants VARIANTS, |_| u32::MAX, subgroups SddmmSubgroups;
    params {
        /// Output units of the layer.
        rows: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// 1: add to the existing values.
        accumulate: u32,
        /// Workgroups that share a row's pairs: at least 1, and more if their loops would be too long.
        chunks: u32,
        /// Input units of the layer: no row has more pairs.
        cols: u32,
    }
    pieces SddmmParams::pieces;
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read delta: f32,
    write output: f32,
}

crate::kernel! {
    /// [`Sddmm`] in the shapes by subgroups, with the same bits. It takes the place of that kernel, which
    /// is the one to be recorded.
    pub SddmmSubgroups, SddmmParams, SddmmSubgroupsTwin = "sparse/sddmm_subgroups", shader!("sparse/sddmm_subgroups");
    params shared;
    pieces |p, _, _| p.cut(ShapeFamily::Hardware, WorkgroupShape::HARDWARE, |_| NONE);
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read delta: f32,
    write output: f32,
}

/// Other numbers of rows on hardware, eight pairs at a time, and sums by subgroups. Each lane's part of a sum and the order of the parts
/// stay the same.
const VARIANTS: &[WorkgroupShape] = &[
    WorkgroupShape::hardware(32, 2),
    WorkgroupShape::hardware(32, 8),
    WorkgroupShape::hardware(32, 2).unrolled(8),
    WorkgroupShape::hardware(32, 4).unrolled(8),
    WorkgroupShape::hardware(32, 4).by_subgroups(),
];

/// Pairs that a workgroup of the hardware shape sums between two barriers.
const SUMMED: u32 = 64;

/// Pairs that a workgroup of the software shape takes at a time, and vectors of delta that an invocation keeps.
const HELD: u32 = 32;

/// From this many lanes on, a layer counts as one with many positions, which tends to have few rows and much work in
/// each.
const WIDE: usize = 1024;

/// Words of the input that the twin's tasks gather from at a time: half of a usual second-level cache.
const NEAR: usize = 128 * 1024;

/// Tasks per thread if they work tile by tile.
const SHARES: usize = 4;

/// Lanes of the twin's tiles: a row of delta and one of the input fill a core's first-level cache. Rows of at least two
/// tiles are tiled.
const TILE: usize = 8192;

impl SddmmParams {
    /// Parameters for one layer of an arena, whichever list of its pairs is bound. `lanes`: all lanes of a unit, over
    /// all its positions.
    pub fn new(span: &LayerSpan, lanes: usize, accumulate: bool) -> Self {
        SddmmParams {
            rows: span.n_out as u32,
            vectors: (lanes / 4) as u32,
            first_row: span.first_row as u32,
            first_col: span.first_col as u32,
            accumulate: u32::from(accumulate),
            chunks: if lanes > WIDE { 8 } else { 1 },
            cols: span.n_in as u32,
        }
    }

    /// The grid: `chunks` workgroups per row.
    pub fn grid(&self) -> Grid {
        Grid::Groups(self.rows as usize * self.chunks as usize)
    }

    fn pieces(&self, _: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        self.cut(shape.family, shape, |_| NONE)
    }

    /// The pieces for the text of a family in any shape. First, as many workgroups share a row as necessary; then each
    /// piece has some vectors, which limit any further loops of the kernel, too.
    pub(super) fn cut(
        &self,
        text: ShapeFamily,
        shape: WorkgroupShape,
        besides: impl Fn(u32) -> Loops,
    ) -> Vec<Piece> {
        let (lanes, rows) = (shape.lanes(), shape.rows());
        let tiles = self.cols.div_ceil(match text {
            ShapeFamily::Hardware => SUMMED,
            ShapeFamily::Software => HELD,
        });
        let loops = |chunks, vectors: u32| {
            let passes = tiles.div_ceil(chunks);
            let pairs = match text {
                ShapeFamily::Hardware => {
                    let sums = looped(SUMMED / rows, looped(vectors.div_ceil(lanes), NONE));
                    let totals = looped(SUMMED.div_ceil(lanes * rows), looped(lanes, NONE));
                    looped(passes, sums + totals)
                }
                ShapeFamily::Software => {
                    let held = looped(vectors.min(HELD), NONE);
                    let pairs = looped(passes, looped(HELD / lanes, held));
                    looped(vectors.div_ceil(HELD), held + pairs)
                }
            };
            pairs + besides(vectors)
        };
        let chunks = chunks(self.chunks, tiles, |n| loops(n, self.vectors));
        let ranges = cut(self.vectors, HELD, |vectors| loops(chunks, vectors));
        let piece = |range: Range<u32>| Piece {
            part: Part {
                begin: range.start,
                end: range.end,
                chunks,
                ..Part::default()
            },
            grid: Grid::Groups(self.rows as usize * chunks as usize),
            iterations: loops(chunks, range.end - range.start).iterations,
        };
        ranges.into_iter().map(piece).collect()
    }
}

/// The smallest number of workgroups, `least` or more, that share a row of `tiles` of pairs with few enough iterations;
/// one for every tile if that is not enough.
pub(super) fn chunks(least: u32, tiles: u32, loops: impl Fn(u32) -> Loops) -> u32 {
    let least = least.max(1);
    let (mut few, mut enough) = (least, tiles.max(least));
    while few < enough {
        let middle = few + (enough - few) / 2;
        match loops(middle).iterations <= MOST_ITERATIONS {
            true => enough = middle,
            false => few = middle + 1,
        }
    }
    enough
}

impl SddmmTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let lanes = p.vectors as usize * 4;
        let offsets = &self.row_offsets[p.first_row as usize..][..p.rows as usize + 1];
        let threads = sharing();
        let [rows, cols] = [p.rows, p.cols].map(|n| n as usize);
        let pairs = (offsets[rows] - offsets[0]) as usize;
        let columns = (NEAR / lanes).min(cols).max(1);
        // Tasks of this many rows use what they load of a tile several times.
        let enough = 4 * cols * SHARES * threads;
        let (blocks, tiles) = if lanes > WIDE {
            (row_blocks(offsets, threads), 1)
        } else {
            let (step, tiles) = match pairs >= enough {
                true => (rows.div_ceil(SHARES * threads), cols.div_ceil(columns)),
                false => (rows_per_task(rows), 1),
            };
            let starts = (0..rows).step_by(step);
            (starts.map(|b| b..(b + step).min(rows)).collect(), tiles)
        };
        let arch = pulp::Arch::new();
        // Each task's pairs are one range of the output.
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
                tiles: tiles as u32,
                columns: columns as u32,
                input: self.input,
                delta: &self.delta[block.start * lanes..block.end * lanes],
                lanes,
                accumulate: p.accumulate != 0,
                output,
            });
        }
        tasks.into_par_iter().deal_out(|task| arch.dispatch(task));
    }
}

impl SddmmSubgroupsTwin<'_> {
    fn run(self) {
        SddmmTwin {
            params: self.params,
            row_offsets: self.row_offsets,
            cols: self.cols,
            input: self.input,
            delta: self.delta,
            output: self.output,
        }
        .run();
    }
}

/// The rows of one task; `delta` and `output` are restricted to them.
struct Rows<'a> {
    offsets: &'a [u32],
    cols: &'a [u32],
    first_col: u32,
    /// Tiles of the columns, each of this many except the last.
    tiles: u32,
    columns: u32,
    input: &'a [f32],
    delta: &'a [f32],
    lanes: usize,
    accumulate: bool,
    output: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if self.lanes >= 2 * TILE {
            self.tiled(simd);
        } else {
            self.whole(simd);
        }
    }
}

impl Rows<'_> {
    /// Each pair in one go, so its partial sums never leave the registers. Works tile by tile of the columns, with all
    /// rows in each.
    #[inline(always)]
    fn whole<S: Simd>(self, simd: S) {
        let base = self.offsets[0] as usize;
        let rows = self.offsets.len() - 1;
        let accumulate = self.accumulate;
        let start = |col: u32| (col - self.first_col) as usize * self.lanes;
        let mut begun: Vec<usize> = self.offsets[..rows].iter().map(|&j| j as usize).collect();
        for tile in 1..=self.tiles {
            let end = match tile == self.tiles {
                true => u32::MAX,
                false => self.first_col + tile * self.columns,
            };
            for (row, delta) in self.delta.chunks_exact(self.lanes).enumerate() {
                let cols = &self.cols[begun[row]..self.offsets[row + 1] as usize];
                let count = cols.iter().take_while(|&&col| col < end).count();
                let output = &mut self.output[begun[row] - base..][..count];
                begun[row] += count;
                // Four pairs at a time share the loads of delta and hide the latency of the sums.
                let (quads, rest) = cols[..count].as_chunks::<4>();
                let (quad_outputs, rest_output) = output.as_chunks_mut::<4>();
                for (&cols, output) in quads.iter().zip(quad_outputs) {
                    put_dots(simd, self.input, cols.map(start), delta, accumulate, output);
                }
                let output = rest_output;
                match *rest {
                    [a, b, c] => {
                        let starts = [a, b, c].map(start);
                        put_dots(simd, self.input, starts, delta, accumulate, output);
                    }
                    [a, b] => {
                        let starts = [a, b].map(start);
                        put_dots(simd, self.input, starts, delta, accumulate, output);
                    }
                    [a] => put_dots(simd, self.input, [start(a)], delta, accumulate, output),
                    _ => {}
                }
            }
        }
    }

    /// Works tile by tile of the lanes, with all rows in each, so that a row's pairs find delta in the first-level
    /// cache; gives the same bits.
    #[inline(always)]
    fn tiled<S: Simd>(self, simd: S) {
        let base = self.offsets[0] as usize;
        let mut partial = vec![[0f32; PARTIAL]; self.output.len()];
        for first in (0..self.lanes).step_by(TILE) {
            let width = TILE.min(self.lanes - first);
            let start = |j: usize| {
                let unit = (self.cols[base + j] - self.first_col) as usize;
                unit * self.lanes + first
            };
            for (row, delta) in self.delta.chunks_exact(self.lanes).enumerate() {
                let delta = &delta[first..first + width];
                let range =
                    self.offsets[row] as usize - base..self.offsets[row + 1] as usize - base;
                let mut j = range.start;
                while j + 4 <= range.end {
                    let pairs = [j, j + 1, j + 2, j + 3];
                    let runs = Runs::whole(pairs.map(start), width);
                    add_products(simd, self.input, runs, delta, &mut partial, pairs);
                    j += 4;
                }
                for j in j..range.end {
                    let runs = Runs::whole([start(j)], width);
                    add_products(simd, self.input, runs, delta, &mut partial, [j]);
                }
            }
        }
        put(simd, &partial, self.accumulate, self.output);
    }
}

/// Writes the products of `N` pairs of a row.
#[inline(always)]
fn put_dots<S: Simd, const N: usize>(
    simd: S,
    input: &[f32],
    starts: [usize; N],
    delta: &[f32],
    accumulate: bool,
    output: &mut [f32],
) {
    let sums = dots(simd, input, starts, delta);
    for (output, sum) in output.iter_mut().zip(sums) {
        *output = if accumulate { *output + sum } else { sum };
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
