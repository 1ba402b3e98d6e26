//! SDDMM of a convolution: gradients of listed connections, active or candidate, without a matrix of patches.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::arena::LayerSpan;
use super::sddmm::{chunks, put};
use crate::engine::loops::{Loops, NONE, Part, Piece, by_fours, cut, looped};
use crate::engine::{Grid, ShapeFamily, WorkgroupShape};
use crate::error::Result;
use crate::twin::dots::{PARTIAL, Partial, Runs, Strip, add_products, add_strips, row_blocks};
use crate::window::{Window, WindowParams, check_divisions, reciprocal};

crate::kernel! {
    /// For each listed pair j = ((c, ky, kx), o), sets or adds to `output[j]` the sum over output positions (y, x) and
    /// lanes of `input[c][y*sy + ky - py][x*sx + kx - px] * delta[o][y][x]`, positions outside the input plane being
    /// zero.
    ///
    /// Pairs and layout of columns as for [`Sddmm`](super::Sddmm) and [`Window`]. Shapes: `input`
    /// `[channels][input positions][lanes]`, `delta` `[n_out][output positions][lanes]`; padding lanes of `delta` are
    /// zero. Grid: [`ConvSddmmParams::grid`]. Bound by the loads of `input` and `delta`.
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
        /// 1: add to what is there.
        accumulate: u32,
        /// `1 / vectors`: see `shaders/lib/divide.wgsl`.
        inverse_vectors: f32,
        /// Input units of the layer: no row has more pairs.
        cols: u32,
    }
    pieces ConvSddmmParams::pieces;
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read delta: f32,
    write output: f32,
}

/// Workgroups that share a row's pairs, at least.
const CHUNKS: u32 = 8;

/// Pairs that a workgroup of the software shape sums at a time.
const PAIRS: u32 = 4;

/// Pairs that a workgroup of the hardware shape sums between two barriers, and the parts in which each is then added
/// up.
const SUMMED: u32 = 8;

/// See [`SUMMED`].
const PARTS: u32 = 16;

impl ConvSddmmParams {
    /// For one layer of an arena, whichever list of its pairs is bound. `lanes`: lanes of the batch, a multiple of 4.
    ///
    /// # Errors
    /// Inputs that are not whole kernels, or a layer or plane of 2^22 units or more.
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
        })
    }

    /// The grid: a few workgroups a row.
    pub fn grid(&self) -> Grid {
        Grid::Groups(self.rows as usize * CHUNKS as usize)
    }

    /// Loops where `chunks` workgroups share a row's pairs, over some lines of positions and vectors of each.
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
                let sums = looped(SUMMED, by_fours(items.div_ceil(width), NONE));
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

    /// The most that a row's pairs can be shared out.
    fn tiles(&self, text: ShapeFamily) -> u32 {
        self.cols.div_ceil(match text {
            ShapeFamily::Hardware => SUMMED,
            ShapeFamily::Software => PAIRS,
        })
    }

    fn pieces(&self, _: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        self.cut(shape.family, shape)
    }

    /// Of the text for a family in any shape. First as many workgroups share a row as it takes, then each piece has some lines of positions, and of a line
    /// that is too long by itself some vectors.
    pub(super) fn cut(&self, text: ShapeFamily, shape: WorkgroupShape) -> Vec<Piece> {
        let (y, vectors) = (self.window.output_y, self.vectors);
        let chunks = chunks(CHUNKS, self.tiles(text), |n| {
            self.loops(n, y, vectors, text, shape)
        });
        let loops = |lines, vectors| self.loops(chunks, lines, vectors, text, shape);
        // The hardware shape's invocations are over whole positions.
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
            grid: Grid::Groups(self.rows as usize * chunks as usize),
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
        let window = p.window.window();
        let lanes = p.vectors as usize * 4;
        let channel = window.output_positions() * lanes;
        let offsets = &self.row_offsets[p.first_row as usize..][..p.rows as usize + 1];
        let valid = |axis: usize| -> Vec<Range<usize>> {
            let taps = 0..window.kernel[axis];
            taps.map(|tap| window.valid(axis, tap)).collect()
        };
        let [valid_y, valid_x] = [0, 1].map(valid);
        let arch = pulp::Arch::new();
        // Each task's pairs are a range of the output.
        let mut rest = &mut self.output[offsets[0] as usize..];
        let mut tasks = Vec::new();
        for block in row_blocks(offsets, rayon::current_num_threads()) {
            let pairs = offsets[block.start] as usize..offsets[block.end] as usize;
            let (output, others) = rest.split_at_mut(pairs.len());
            rest = others;
            tasks.push(Rows {
                window,
                valid_y: &valid_y,
                valid_x: &valid_x,
                offsets: &offsets[block.start..=block.end],
                cols: &self.cols[pairs],
                first_col: p.first_col,
                input: self.input,
                delta: &self.delta[block.start * channel..block.end * channel],
                lanes,
                accumulate: p.accumulate != 0,
                output,
            });
        }
        tasks.into_par_iter().for_each(|task| arch.dispatch(task));
    }
}

/// The rows of one task; `cols`, `delta` and `output` are theirs alone.
struct Rows<'a> {
    window: Window,
    /// By tap along the axis, the output positions where it sees the input.
    valid_y: &'a [Range<usize>],
    valid_x: &'a [Range<usize>],
    offsets: &'a [u32],
    cols: &'a [u32],
    first_col: u32,
    input: &'a [f32],
    delta: &'a [f32],
    lanes: usize,
    accumulate: bool,
    output: &'a mut [f32],
}

/// What a pair's column sees.
#[derive(Clone, Copy)]
struct Source {
    /// First lane of the input position seen from output position (0, 0). Wraps around below the first.
    at: usize,
    tap_y: u32,
    tap_x: u32,
}

/// Some rows of an output channel's positions.
struct Band<'a> {
    rows: Range<usize>,
    /// Of all the channel's positions.
    delta: &'a [f32],
    /// By pair of the task.
    sources: &'a [Source],
}

/// Lanes of a row of positions from which on pairs are taken four at a time, a row at a time; of shorter rows, one pair
/// and several rows at a time.
const LONG: usize = 512;

impl WithSimd for Rows<'_> {
    type Output = ();

    /// Row of positions by row of positions: that of delta then stays in the first cache for all pairs of its channel,
    /// and the rows of the input that the kernel reaches in the second for all channels.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let window = self.window;
        let [rows, columns] = window.output;
        let width = columns * self.lanes;
        let long = width >= LONG || window.stride[1] > 1;
        let height = if long { 1 } else { LONG / width };
        let sources = self.sources();
        let mut partial = vec![[0f32; PARTIAL]; self.output.len()];
        for y in (0..rows).step_by(height) {
            for (row, delta) in self.delta.chunks_exact(rows * width).enumerate() {
                let band = Band {
                    rows: y..y + height,
                    delta,
                    sources: &sources,
                };
                let pairs = self.offsets[row]..self.offsets[row + 1];
                let seen = pairs
                    .map(|j| (j - self.offsets[0]) as usize)
                    .filter(|&j| !self.valid_y(&band, j).is_empty());
                if !long {
                    for j in seen {
                        self.add(simd, &band, [j], &mut partial);
                    }
                    continue;
                }
                // Four pairs at a time share the loads of delta and hide the latency of the sums.
                let mut held = [0; 4];
                let mut n = 0;
                for j in seen {
                    held[n] = j;
                    n += 1;
                    if n == 4 {
                        self.add(simd, &band, held, &mut partial);
                        n = 0;
                    }
                }
                let held = &held[..n];
                let whole = held.iter().map(|&j| (j, self.valid_x(&band, j).clone()));
                self.add_apart(simd, &band, whole, &mut partial);
            }
        }
        put(simd, &partial, self.accumulate, self.output);
    }
}

impl Rows<'_> {
    fn sources(&self) -> Vec<Source> {
        let window = &self.window;
        let [taps, kernel_x] = [window.taps(), window.kernel[1]].map(|n| n as u32);
        let source = |col: &u32| {
            let unit = col - self.first_col;
            let (channel, tap) = ((unit / taps) as usize, unit % taps);
            let (tap_y, tap_x) = (tap / kernel_x, tap % kernel_x);
            let row = (channel * window.input[0] + tap_y as usize).wrapping_sub(window.padding[0]);
            let position = row
                .wrapping_mul(window.input[1])
                .wrapping_add(tap_x as usize)
                .wrapping_sub(window.padding[1]);
            Source {
                at: position.wrapping_mul(self.lanes),
                tap_y,
                tap_x,
            }
        };
        self.cols.iter().map(source).collect()
    }

    /// The rows of a band that a pair's tap sees.
    fn valid_y(&self, band: &Band<'_>, j: usize) -> Range<usize> {
        let valid = &self.valid_y[band.sources[j].tap_y as usize];
        valid.start.max(band.rows.start)..valid.end.min(band.rows.end)
    }

    /// The columns that a pair's tap sees.
    fn valid_x(&self, band: &Band<'_>, j: usize) -> &Range<usize> {
        &self.valid_x[band.sources[j].tap_x as usize]
    }

    /// Adds the products of `N` pairs of a channel in a band: where all taps see the input, all at once. Several pairs
    /// take a band of one row, seen by all of them.
    #[inline(always)]
    fn add<S: Simd, const N: usize>(
        &self,
        simd: S,
        band: &Band<'_>,
        pairs: [usize; N],
        partial: &mut [Partial],
    ) {
        let mut all = self.valid_x(band, pairs[0]).clone();
        for &j in &pairs[1..] {
            let valid = self.valid_x(band, j);
            all = all.start.max(valid.start)..all.end.min(valid.end);
        }
        if all.is_empty() {
            let whole = pairs.iter().map(|&j| (j, self.valid_x(band, j).clone()));
            self.add_apart(simd, band, whole, partial);
            return;
        }
        self.add_columns(simd, band, all.clone(), pairs, partial);
        if N > 1 {
            let valid = pairs.iter().map(|&j| (j, self.valid_x(band, j)));
            let before = valid.clone().map(|(j, valid)| (j, valid.start..all.start));
            self.add_apart(simd, band, before, partial);
            let behind = valid.map(|(j, valid)| (j, all.end..valid.end));
            self.add_apart(simd, band, behind, partial);
        }
    }

    /// The same of pairs that see different columns of a band of one row, up to four.
    #[inline(always)]
    fn add_apart<S: Simd>(
        &self,
        simd: S,
        band: &Band<'_>,
        pairs: impl Iterator<Item = (usize, Range<usize>)>,
        partial: &mut [Partial],
    ) {
        let (window, lanes) = (&self.window, self.lanes);
        if window.stride[1] > 1 || !lanes.is_multiple_of(PARTIAL) {
            for (j, columns) in pairs {
                self.add_columns(simd, band, columns, [j], partial);
            }
            return;
        }
        let row = band.rows.start;
        let mut strips = [Strip::default(); 4];
        let mut count = 0;
        for (j, columns) in pairs {
            let on = (row * window.stride[0] * window.input[1] + columns.start) * lanes;
            strips[count] = Strip {
                input: band.sources[j].at.wrapping_add(on),
                delta: (row * window.output[1] + columns.start) * lanes,
                length: columns.len() * lanes,
                number: j,
            };
            count += 1;
        }
        add_strips(simd, self.input, band.delta, &mut strips[..count], partial);
    }

    /// The same in columns that all taps see.
    #[inline(always)]
    fn add_columns<S: Simd, const N: usize>(
        &self,
        simd: S,
        band: &Band<'_>,
        columns: Range<usize>,
        pairs: [usize; N],
        partial: &mut [Partial],
    ) {
        if columns.is_empty() {
            return;
        }
        let (window, lanes) = (&self.window, self.lanes);
        let rows = self.valid_y(band, pairs[0]);
        // Lanes from row to row and from column to column, of the input and of delta.
        let (step_y, step_x) = (
            window.stride[0] * window.input[1] * lanes,
            window.stride[1] * lanes,
        );
        let delta_y = window.output[1] * lanes;
        let mut starts = [0; N];
        for n in 0..N {
            let on = rows.start * step_y + columns.start * step_x;
            starts[n] = band.sources[pairs[n]].at.wrapping_add(on);
        }
        let delta = &band.delta[rows.start * delta_y + columns.start * lanes..];
        // Input positions side by side are one run of lanes.
        let runs = if step_x == lanes {
            Runs {
                starts,
                length: columns.len() * lanes,
                count: rows.len(),
                step: step_y,
                delta_step: delta_y,
            }
        } else {
            Runs {
                starts,
                length: lanes,
                count: columns.len(),
                step: step_x,
                delta_step: lanes,
            }
        };
        add_products(simd, self.input, runs, delta, partial, pairs);
    }
}
