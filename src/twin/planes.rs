//! The shared part of the convolution's CPU twins: gathering one plane from others through a window.
//!
//! Seen from the written positions, the products in both directions are the same: a position gathers from one source
//! position per kernel tap, or from none if the tap falls into the padding (or, in the transposed product, between two
//! strides). Positions at which the same taps have a source form rectangles. The list of terms is built once for a
//! rectangle and then only shifted, so that the inner loop never checks for a border. Where neighbouring positions have
//! neighbouring sources, a whole row of a rectangle is one contiguous run of lanes.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::Direction;
use super::lanes::{Ends, Steps, Term, gather_rows};
use super::pieces::pieces;
use crate::threads::DealOut;
use crate::window::Window;

/// Bytes of the source that tasks running at the same time share: a usual second-level cache.
const SHARED_BYTES: usize = 1 << 20;

/// Bytes of a source that is not divided into bands: its part of a last-level cache costs less than searching the
/// connections once per band.
const WHOLE_BYTES: usize = 4 << 20;

/// Below this many pieces, planes are divided more finely, so that all threads have work.
const FEWEST_PIECES: usize = 64;

/// A connection, as seen from a written unit.
#[derive(Clone, Copy)]
pub(crate) struct Tap {
    pub weight: f32,
    /// The source's unit.
    pub unit: u32,
    /// Kernel tap `[y, x]`.
    pub at: [u32; 2],
}

/// Marks a tap without a source: larger than any sum of offsets into a source.
const NOWHERE: usize = usize::MAX / 4;

/// Positions `first`, `first + step`, ... along an axis at which the same taps have a source.
struct Run {
    first: usize,
    count: usize,
    /// The source of `first` by kernel tap; those of the next positions follow at a fixed distance.
    sources: Vec<Option<usize>>,
    /// The same as offsets into the source's plane, [`NOWHERE`] for none.
    offsets: Vec<usize>,
}

/// A window in one direction, for a batch of `lanes`.
pub(crate) struct Planes {
    pub window: Window,
    pub direction: Direction,
    pub lanes: usize,
    /// Units of the source.
    pub units: usize,
}

impl Planes {
    /// The plane that is written.
    fn written(&self) -> [usize; 2] {
        self.direction.written(&self.window)
    }

    /// The plane that is read.
    fn source(&self) -> [usize; 2] {
        self.direction.read(&self.window)
    }

    /// Distance between two neighbours in a run, among the written positions and among their sources.
    fn steps(&self, axis: usize) -> [usize; 2] {
        match self.direction {
            Direction::Forward => [1, self.window.stride[axis]],
            Direction::Transposed => [self.window.stride[axis], 1],
        }
    }

    /// What a position gathers through a tap of the kernel.
    fn source_of(&self, axis: usize, position: usize, tap: usize) -> Option<usize> {
        let (stride, padding) = (self.window.stride[axis], self.window.padding[axis]);
        let source = match self.direction {
            Direction::Forward => (position * stride + tap).checked_sub(padding),
            Direction::Transposed => (position + padding)
                .checked_sub(tap)
                .filter(|way| way % stride == 0)
                .map(|way| way / stride),
        };
        source.filter(|&s| s < self.source()[axis])
    }

    /// `positions` along an axis as runs.
    fn runs(&self, axis: usize, positions: Range<usize>) -> Vec<Run> {
        let [step, source_step] = self.steps(axis);
        let pitch = self.lanes * [self.source()[1], 1][axis];
        let mut runs: Vec<Run> = Vec::new();
        let mut sources = Vec::with_capacity(self.window.kernel[axis]);
        for first in positions.clone().take(step) {
            let before = runs.len();
            for position in (first..positions.end).step_by(step) {
                sources.clear();
                let taps = 0..self.window.kernel[axis];
                sources.extend(taps.map(|tap| self.source_of(axis, position, tap)));
                match runs[before..].last_mut() {
                    Some(run)
                        if run.sources.iter().zip(&sources).all(|(old, new)| {
                            old.map(|old| old + run.count * source_step) == *new
                        }) =>
                    {
                        run.count += 1
                    }
                    _ => runs.push(Run {
                        first: position,
                        count: 1,
                        offsets: sources
                            .iter()
                            .map(|source| source.map_or(NOWHERE, |source| source * pitch))
                            .collect(),
                        sources: sources.clone(),
                    }),
                }
            }
        }
        runs
    }

    /// Rows of the written plane that a task takes: as many as keep what they read in the cache, for all units.
    fn band(&self, outputs: usize) -> usize {
        let row = self.units * self.source()[1] * self.lanes * size_of::<f32>();
        let source_rows = (SHARED_BYTES / row.max(1)).saturating_sub(self.window.kernel[0] - 1);
        let [step, source_step] = self.steps(0);
        let rows = if row * self.source()[0] <= WHOLE_BYTES {
            self.written()[0]
        } else {
            source_rows * step / source_step
        };
        let enough = (outputs * self.written()[0]).div_ceil(FEWEST_PIECES);
        rows.min(enough).clamp(1, self.written()[0])
    }

    /// Writes every unit's plane of `output`: `taps_of(unit)` lists its connections in the order in which they are
    /// added, and `ends_of(unit)` says to what.
    pub fn gather(
        &self,
        source: &[f32],
        output: &mut [f32],
        ends_of: impl Fn(usize) -> Ends + Sync,
        taps_of: impl Fn(usize, &mut Vec<Tap>) + Sync,
    ) {
        let [height, width] = self.written();
        let row = width * self.lanes;
        let outputs = output.len() / (height * row);
        let band = self.band(outputs);
        let columns = self.runs(1, 0..width);
        let bands: Vec<Vec<Run>> = (0..height)
            .step_by(band)
            .map(|y| self.runs(0, y..(y + band).min(height)))
            .collect();
        let arch = pulp::Arch::new();
        pieces(output, height * row, band * row)
            .into_par_iter()
            .deal_out_init(
                || (Vec::new(), Vec::new()),
                |(taps, terms), piece| {
                    taps.clear();
                    taps_of(piece.unit, taps);
                    arch.dispatch(Band {
                        planes: self,
                        source,
                        taps,
                        terms,
                        ends: ends_of(piece.unit),
                        first_row: piece.part * band,
                        rows: &bands[piece.part],
                        columns: &columns,
                        output: piece.words,
                    });
                },
            );
    }
}

/// Rows of one unit's plane, from `first_row` on.
struct Band<'a> {
    planes: &'a Planes,
    source: &'a [f32],
    taps: &'a [Tap],
    /// Room for the terms of a rectangle.
    terms: &'a mut Vec<Term>,
    ends: Ends,
    first_row: usize,
    rows: &'a [Run],
    columns: &'a [Run],
    output: &'a mut [f32],
}

impl WithSimd for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (planes, lanes) = (self.planes, self.planes.lanes);
        let [source_height, source_width] = planes.source();
        let plane = source_height * source_width * lanes;
        let width = planes.written()[1];
        let [row_step, source_row_step] = planes.steps(0);
        let [step, source_step] = planes.steps(1);
        let taps = self.taps;
        self.terms
            .resize(taps.len().max(self.terms.len()), Term::default());
        let terms = &mut self.terms[..taps.len()];
        for rows in self.rows {
            for columns in self.columns {
                let mut count = 0;
                for tap in taps {
                    let start = tap.unit as usize * plane
                        + rows.offsets[tap.at[0] as usize]
                        + columns.offsets[tap.at[1] as usize];
                    terms[count] = Term {
                        weight: tap.weight,
                        start,
                    };
                    // Not a branch, because the taps of a row come in no order.
                    count += usize::from(start < NOWHERE);
                }
                let terms = &terms[..count];
                // Row by row of the rectangle, or, if positions are apart, position by position of each row.
                let along_y = Steps {
                    rows: rows.count,
                    lanes: columns.count * lanes,
                    source: source_row_step * source_width * lanes,
                    output: row_step * width * lanes,
                };
                let along_x = Steps {
                    rows: columns.count,
                    lanes,
                    source: source_step * lanes,
                    output: step * lanes,
                };
                let contiguous = columns.count == 1 || (step, source_step) == (1, 1);
                let (times, inner) = if contiguous {
                    (1, along_y)
                } else {
                    (rows.count, along_x)
                };
                let first = ((rows.first - self.first_row) * width + columns.first) * lanes;
                for i in 0..times {
                    // Without terms, the source may be shorter than this.
                    let source = self.source.get(i * along_y.source..).unwrap_or_default();
                    let output = &mut self.output[first + i * along_y.output..];
                    gather_rows(simd, source, terms, self.ends, inner, output);
                }
            }
        }
    }
}
