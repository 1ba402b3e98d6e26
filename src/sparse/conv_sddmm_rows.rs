//! The twin's part of the work on a convolution's gradients: some rows of pairs, over some lines of positions.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use super::sddmm::put;
use crate::twin::dots::{PARTIAL, Partial, Runs, Strip, add_products, add_strips};
use crate::window::Window;

/// The rows of one task; `cols`, `delta` and `output` belong to it alone.
pub(super) struct Rows<'a> {
    pub window: Window,
    /// Lines of output positions.
    pub lines: Range<usize>,
    /// For each tap along the axis, the output positions where it sees the input.
    pub valid_y: &'a [Range<usize>],
    pub valid_x: &'a [Range<usize>],
    pub offsets: &'a [u32],
    pub cols: &'a [u32],
    pub first_col: u32,
    pub input: &'a [f32],
    pub delta: &'a [f32],
    pub lanes: usize,
    pub accumulate: bool,
    pub output: &'a mut [f32],
}

/// What a pair's column sees.
#[derive(Clone, Copy)]
struct Source {
    /// First lane of the input position seen from output position (0, 0). Below the first it wraps around.
    at: usize,
    tap_y: u32,
    tap_x: u32,
}

/// Some rows of an output channel's positions.
struct Band<'a> {
    rows: Range<usize>,
    /// Those of all the channel's positions.
    delta: &'a [f32],
    /// For each pair of the task.
    sources: &'a [Source],
}

/// Lanes in a row of positions from which pairs are taken four at a time, one row at a time; for shorter rows, one pair
/// and several rows at a time.
const LONG: usize = 512;

impl WithSimd for Rows<'_> {
    type Output = ();

    /// Row of positions by row of positions: then delta's row stays in the first-level cache for all pairs of its
    /// channel, and the input rows that the kernel reaches stay in the second-level cache for all channels.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let window = self.window;
        let [rows, columns] = window.output;
        let lines = self.lines.clone();
        let width = columns * self.lanes;
        let long = width >= LONG || window.stride[1] > 1;
        let height = if long { 1 } else { LONG / width };
        let sources = self.sources();
        let mut partial = vec![[0f32; PARTIAL]; self.output.len()];
        for y in lines.clone().step_by(height) {
            for (row, delta) in self.delta.chunks_exact(rows * width).enumerate() {
                let band = Band {
                    rows: y..(y + height).min(lines.end),
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

    /// Adds the products of `N` pairs of a channel in a band: at once where all taps see the input. Several pairs take
    /// a band of one row, which all of them see.
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

    /// The same for up to four pairs that see different columns of a band of one row.
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
        // Lanes from row to row and from column to column, in the input and in delta.
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
        // Adjacent input positions are one run of lanes.
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
