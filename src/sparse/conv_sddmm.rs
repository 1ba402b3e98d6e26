//! SDDMM of a convolution: gradients of listed connections, active or candidate, without a matrix of patches.

use std::ops::Range;

use rayon::prelude::*;

use super::arena::LayerSpan;
use super::conv_sddmm_rows::Rows;
use super::sddmm::chunks;
use crate::engine::loops::{Loops, NONE, Part, Piece, cut, looped};
use crate::engine::{Grid, ShapeFamily, WorkgroupShape};
use crate::error::Result;
use crate::threads::{DealOut, sharing};
use crate::twin::dots::row_blocks;
use crate::window::{Window, WindowParams, check_divisions, reciprocal};

crate::kernel! {
    /// For each listed pair j = ((c, ky, kx), o), sets or adds to `gradient[j]` the sum over output positions (y, x) and
    /// lanes of `input[c][y*sy + ky - py][x*sx + kx - px] * delta[o][y][x]`, positions outside the input plane being
    /// zero.
    ///
    /// Pairs and layout of columns as for [`Sddmm`](super::Sddmm) and [`Window`]. Shapes: `input` `[channels][input
    /// positions][lanes]`, `delta` `[n_out][output positions][lanes]`; padding lanes of `delta` are zero. Where the
    /// output's lines are cut into slices, each slice sums its own into `gradient` `[slices][stride]`, and
    /// [`ConvMerge`](super::ConvMerge) adds them up. Grid: [`ConvSddmmParams::grid`]. Bound by the loads of `input`
    /// and `delta`.
    pub ConvSddmm, ConvSddmmParams, ConvSddmmTwin = "sparse/conv_sddmm", shader!("sparse/conv_sddmm");
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
        /// 1: add to the existing values.
        accumulate: u32,
        /// `1 / vectors`: see `shaders/lib/divide.wgsl`.
        inverse_vectors: f32,
        /// Input units of the layer: no row has more pairs.
        cols: u32,
        /// Slices of the output's lines of positions: 1 if they are not split.
        slices: u32,
        /// Words of `gradient` from one slice's gradients to the next's.
        stride: u32,
    }
    pieces ConvSddmmParams::pieces;
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read delta: f32,
    write gradient: f32,
}

/// Minimum number of workgroups that share a row's pairs if its positions are not split; the maximum if they are.
const CHUNKS: u32 = 8;

/// Number of workgroups that fill a large GPU, which has some 130 cores with room for 16 of them each: there are no
/// more slices, and no more workgroups for the pairs of one, than this takes.
const FILLED: usize = 1024;

/// Maximum number of slices: each costs four bytes per connection.
const SLICES: usize = 16;

/// Minimum number of vectors in a slice: four for each invocation, otherwise adding up would take as long as
/// multiplying.
const SLICE: usize = 512;

/// Pairs that a workgroup of the software shape sums at a time.
const PAIRS: u32 = 4;

/// Pairs that a workgroup of the hardware shape sums at once, and the parts in which each is then added up.
const SUMMED: u32 = 4;

/// See [`SUMMED`].
const PARTS: u32 = 16;

impl ConvSddmmParams {
    /// For one layer of an arena, with either list of its pairs bound. `lanes`: lanes of the batch, a multiple of 4.
    ///
    /// # Errors
    /// The inputs are not whole kernels, or a layer or plane has 2^22 units or more.
    pub fn new(span: &LayerSpan, window: &Window, lanes: usize, accumulate: bool) -> Result<Self> {
        check_divisions(window, lanes / 4)?;
        let channels = window.channels(span.n_in)?;
        Ok(ConvSddmmParams {
            window: WindowParams::new(window, channels),
            rows: span.n_out as u32,
            vectors: (lanes / 4) as u32,
            first_row: span.first_row as u32,
            first_col: span.first_col as u32,
            accumulate: u32::from(accumulate),
            inverse_vectors: reciprocal(lanes / 4),
            cols: span.n_in as u32,
            slices: 1,
            stride: 0,
        })
    }

    /// How many slices of its lines fill a GPU: 1 if the layer does not need slices.
    pub(super) fn filling(&self) -> usize {
        let [lines, columns, vectors, rows] = [
            self.window.output_y,
            self.window.output_x,
            self.vectors,
            self.rows,
        ]
        .map(|n| n as usize);
        let least = SLICE.div_ceil(columns * vectors);
        let slices = lines.div_ceil(least).min(SLICES).min(FILLED.div_ceil(rows));
        lines.div_ceil(lines.div_ceil(slices))
    }

    /// The same in slices, with `stride` words of the gradients each.
    pub(super) fn in_slices(self, slices: usize, stride: usize) -> Self {
        ConvSddmmParams {
            slices: slices as u32,
            stride: stride as u32,
            ..self
        }
    }

    /// The grid: a few workgroups per row and slice.
    pub fn grid(&self) -> Grid {
        Grid::Groups(self.workgroups(self.least_chunks()))
    }

    fn workgroups(&self, chunks: u32) -> usize {
        self.rows as usize * self.slices as usize * chunks as usize
    }

    /// Minimum number of workgroups that share a row's pairs.
    fn least_chunks(&self) -> u32 {
        match self.slices {
            1 => CHUNKS,
            _ => (FILLED.div_ceil(self.workgroups(1)) as u32).min(CHUNKS),
        }
    }

    /// Maximum number of lines of positions in a slice.
    fn lines(&self) -> u32 {
        self.window.output_y.div_ceil(self.slices)
    }

    /// Loops if `chunks` workgroups share a row's pairs, over some lines of positions and vectors of each.
    fn loops(
        &self,
        chunks: u32,
        lines: u32,
        vectors: u32,
        text: ShapeFamily,
        shape: WorkgroupShape,
    ) -> Loops {
        let passes = self.tiles(text).div_ceil(chunks);
        match text {
            ShapeFamily::Hardware => {
                let width = shape.lanes() * shape.rows();
                let items = lines
                    .saturating_mul(self.window.output_x)
                    .saturating_mul(vectors);
                // Two places at a time.
                let sums = looped(items.div_ceil(2 * width), NONE);
                let parts = looped(
                    (SUMMED * PARTS).div_ceil(width),
                    looped(width.div_ceil(PARTS), NONE),
                );
                let totals = looped(SUMMED.div_ceil(width), looped(PARTS, NONE));
                looped(passes, sums + parts + totals)
            }
            ShapeFamily::Software => {
                let items = self.window.output_x.saturating_mul(vectors);
                let sums = looped(lines, looped(items.div_ceil(shape.lanes()), NONE));
                let totals = looped(PAIRS.div_ceil(shape.lanes()), looped(shape.lanes(), NONE));
                looped(passes, sums + totals)
            }
        }
    }

    /// The maximum number of workgroups among which a row's pairs can be divided.
    fn tiles(&self, text: ShapeFamily) -> u32 {
        self.cols.div_ceil(match text {
            ShapeFamily::Hardware => SUMMED,
            ShapeFamily::Software => PAIRS,
        })
    }

    fn pieces(&self, _: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        self.cut(shape.family, shape)
    }

    /// For the text of a family, in any shape. First as many workgroups share a row as possible, then each piece has
    /// some lines of positions of every slice, and for a line that is too long by itself, some vectors.
    pub(super) fn cut(&self, text: ShapeFamily, shape: WorkgroupShape) -> Vec<Piece> {
        let (y, vectors) = (self.lines(), self.vectors);
        let chunks = chunks(self.least_chunks(), self.tiles(text), |n| {
            self.loops(n, y, vectors, text, shape)
        });
        let loops = |lines, vectors| self.loops(chunks, lines, vectors, text, shape);
        // The hardware shape's invocations cover whole positions.
        let step = match text {
            ShapeFamily::Hardware => vectors,
            ShapeFamily::Software => 1,
        };
        let ranges = cut(vectors, step, |vectors| loops(1, vectors));
        let lines: Vec<_> = match ranges.len() {
            1 => cut(y, 1, |lines| loops(lines, vectors)),
            _ => (0..y).map(|line| line..line + 1).collect(),
        };
        let piece = |lines: &Range<u32>, vectors: &Range<u32>| Piece {
            part: Part {
                begin: vectors.start,
                end: vectors.end,
                begin_y: lines.start,
                end_y: lines.end,
                chunks,
            },
            grid: Grid::Groups(self.workgroups(chunks)),
            iterations: loops(lines.end - lines.start, vectors.end - vectors.start).iterations,
        };
        let lines = lines.iter();
        lines
            .flat_map(|lines| ranges.iter().map(move |vectors| piece(lines, vectors)))
            .collect()
    }
}

impl ConvSddmmTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let (lines, all) = (p.lines() as usize, p.window.output_y as usize);
        for slice in 0..p.slices as usize {
            let lines = slice * lines..all.min((slice + 1) * lines);
            let output = &mut self.gradient[slice * p.stride as usize..];
            sum(
                p,
                lines,
                [self.row_offsets, self.cols],
                [self.input, self.delta],
                output,
            );
        }
    }
}

/// The gradients over some lines of positions.
fn sum(
    p: ConvSddmmParams,
    lines: Range<usize>,
    [row_offsets, cols]: [&[u32]; 2],
    [input, delta]: [&[f32]; 2],
    output: &mut [f32],
) {
    let window = p.window.window();
    let lanes = p.vectors as usize * 4;
    let channel = window.output_positions() * lanes;
    let offsets = &row_offsets[p.first_row as usize..][..p.rows as usize + 1];
    let valid = |axis: usize| -> Vec<Range<usize>> {
        let taps = 0..window.kernel[axis];
        taps.map(|tap| window.valid(axis, tap)).collect()
    };
    let [valid_y, valid_x] = [0, 1].map(valid);
    let arch = pulp::Arch::new();
    // The pairs of each task are a range of the output.
    let mut rest = &mut output[offsets[0] as usize..];
    let mut tasks = Vec::new();
    for block in row_blocks(offsets, sharing()) {
        let pairs = offsets[block.start] as usize..offsets[block.end] as usize;
        let (output, others) = rest.split_at_mut(pairs.len());
        rest = others;
        tasks.push(Rows {
            window,
            lines: lines.clone(),
            valid_y: &valid_y,
            valid_x: &valid_x,
            offsets: &offsets[block.start..=block.end],
            cols: &cols[pairs],
            first_col: p.first_col,
            input,
            delta: &delta[block.start * channel..block.end * channel],
            lanes,
            accumulate: p.accumulate != 0,
            output,
        });
    }
    tasks.into_par_iter().deal_out(|task| arch.dispatch(task));
}
