//! The blocked matrix product of the CPU twins: `output[m][l] = initial + sum over k of left[m][k] * right[k][l]`.
//!
//! Bound by the multiply-adds, if the operands are near: a tile of `R` rows by `V` vectors of the output stays in
//! registers while it moves along `k`, loading `R + V` operands for `R * V` multiply-adds. The right-hand side's panel
//! of `V` vectors by [`DEPTH`] fits the first-level cache; the block of [`LANES`] by [`DEPTH`] that it belongs to and
//! the left-hand side's rows fit the second (the scheme of Goto and van de Geijn, "Anatomy of High-Performance Matrix
//! Multiplication", 2008). Unlike the sparse products, these fuse multiply and add if the machine can, because they are
//! bound by arithmetic.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::pack::{Left, Side, pack_left};
use super::patches::{Class, Patches, Segment};
use crate::threads::{DealOut, sharing};

/// Steps along `k` between two visits to the output: 24 KiB of a panel of 32 lanes.
const DEPTH: usize = 192;

/// Lanes of a block: 384 KiB at the full depth.
const LANES: usize = 512;

/// Most rows of a task: 192 KiB of the left-hand side.
const MOST_ROWS: usize = 256;

/// Fewest rows of a task, if rows are divided among tasks that each pack the right-hand side.
const FEWEST_ROWS: usize = 32;

/// The right-hand side.
pub(crate) enum Right<'a> {
    /// Patches of `units` units.
    Patches { patches: Patches<'a>, units: usize },
    /// The transpose of a matrix whose rows have `lanes` lanes: `right[k][l] = values[l * lanes + k]`.
    Transposed { values: &'a [f32], lanes: usize },
}

/// What a sum is added to.
#[derive(Clone, Copy)]
pub(crate) enum Initial<'a> {
    /// A number for each row.
    Rows(&'a [f32]),
    Zero,
    /// The existing values.
    Present,
}

/// What is done with a sum.
#[derive(Clone, Copy)]
pub(crate) enum Finish<'a> {
    Plain,
    /// Negative sums become zero; a NaN stays a NaN, so that a diverged run shows.
    Relu,
    /// Zero where this, laid out like the output, is not above zero.
    Mask(&'a [f32]),
}

/// A product.
pub(crate) struct Product<'a> {
    pub left: Left<'a>,
    pub right: Right<'a>,
    /// Lanes of a row of the output.
    pub plane: usize,
    pub initial: Initial<'a>,
    pub finish: Finish<'a>,
}

impl Product<'_> {
    /// Writes all rows of `output`.
    pub fn write(&self, output: &mut [f32]) {
        let plane = self.plane;
        let rows = output.len() / plane;
        let blocks = plane.div_ceil(LANES);
        // Lanes as even as possible, in whole vectors of four.
        let lanes = plane.div_ceil(blocks).next_multiple_of(4);
        let requested = (4 * sharing()).div_ceil(blocks);
        let some = rows
            .div_ceil(requested)
            .next_multiple_of(8)
            .clamp(FEWEST_ROWS, MOST_ROWS);
        let classes = match &self.right {
            Right::Patches { patches, .. } => patches.classes(),
            Right::Transposed { .. } => Vec::new(),
        };
        let arch = pulp::Arch::new();
        tiles(output, plane, some, lanes)
            .into_par_iter()
            .deal_out_init(Room::default, |room, tile| {
                arch.dispatch(Task {
                    product: self,
                    classes: &classes,
                    room,
                    tile,
                });
            });
    }
}

/// Rows from `first_row` on, and lanes from `first_lane` on, of an output.
pub(crate) struct Tile<'a> {
    pub first_row: usize,
    pub first_lane: usize,
    pub rows: Vec<&'a mut [f32]>,
}

impl Tile<'_> {
    /// Its lanes.
    pub fn lanes(&self) -> Range<usize> {
        let lanes = self.rows.first().map_or(0, |row| row.len());
        self.first_lane..self.first_lane + lanes
    }

    /// Adds sums `[rows][width]` to some rows.
    #[inline(always)]
    fn add(
        &mut self,
        product: &Product<'_>,
        rows: Range<usize>,
        sums: &[f32],
        segments: &[Segment],
        width: usize,
        [first, last]: [bool; 2],
    ) {
        for (row, sums) in rows.zip(sums.chunks_exact(width)) {
            let number = self.first_row + row;
            let output = &mut *self.rows[row];
            for segment in segments {
                let sums = &sums[segment.packed % width..][..segment.lanes];
                let output = &mut output[segment.written..][..segment.lanes];
                match product.initial {
                    Initial::Rows(initial) if first => {
                        let initial = initial[number];
                        for (y, sum) in output.iter_mut().zip(sums) {
                            *y = initial + sum;
                        }
                    }
                    Initial::Zero if first => output.copy_from_slice(sums),
                    _ => {
                        for (y, sum) in output.iter_mut().zip(sums) {
                            *y += sum;
                        }
                    }
                }
                match product.finish {
                    Finish::Relu if last => {
                        for y in output {
                            *y = if *y < 0.0 { 0.0 } else { *y };
                        }
                    }
                    Finish::Mask(activation) if last => {
                        let at = number * product.plane + self.first_lane + segment.written;
                        for (y, x) in output.iter_mut().zip(&activation[at..]) {
                            *y = if *x > 0.0 { *y } else { 0.0 };
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

/// An output with rows of `plane` lanes, in tiles of at most `rows` by `lanes`; tiles of the same rows follow each
/// other.
pub(crate) fn tiles(output: &mut [f32], plane: usize, rows: usize, lanes: usize) -> Vec<Tile<'_>> {
    let mut tiles = Vec::new();
    for (chunk, output) in output.chunks_mut(rows * plane).enumerate() {
        let first = tiles.len();
        for row in output.chunks_mut(plane) {
            for (block, row) in row.chunks_mut(lanes).enumerate() {
                if first + block == tiles.len() {
                    tiles.push(Tile {
                        first_row: chunk * rows,
                        first_lane: block * lanes,
                        rows: Vec::new(),
                    });
                }
                tiles[first + block].rows.push(row);
            }
        }
    }
    tiles
}

/// A thread's copies of what a task reads.
#[derive(Default)]
struct Room {
    segments: Vec<Segment>,
    offsets: Vec<usize>,
    left: Vec<f32>,
    right: Vec<f32>,
}

struct Task<'a> {
    product: &'a Product<'a>,
    classes: &'a [Class],
    room: &'a mut Room,
    tile: Tile<'a>,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // 16 sums in 32 vector registers, or 8 in 16. Powers of two, like most layers' sizes.
        match S::F32_LANES {
            16 => self.run::<S, 8, 2>(simd),
            4 => self.run::<S, 4, 4>(simd),
            _ => self.run::<S, 4, 2>(simd),
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn run<S: Simd, const R: usize, const V: usize>(mut self, simd: S) {
        let block = self.tile.lanes();
        let width = V * S::F32_LANES;
        match &self.product.right {
            Right::Patches { patches, units } => {
                for class in self.classes {
                    let mut segments = std::mem::take(&mut self.room.segments);
                    patches.segments(class, block.clone(), width, &mut segments);
                    let side = Side::Patches {
                        patches,
                        class,
                        depth: units * class.taps.len(),
                    };
                    self.sum::<S, R, V>(simd, &side, &segments);
                    self.room.segments = segments;
                }
            }
            Right::Transposed { values, lanes } => {
                let segments: Vec<_> = block
                    .clone()
                    .step_by(width)
                    .map(|first| Segment::plain(first - block.start, width.min(block.end - first)))
                    .collect();
                let side = Side::Transposed {
                    values,
                    lanes: *lanes,
                    block,
                };
                self.sum::<S, R, V>(simd, &side, &segments);
            }
        }
    }

    /// Sums of the lanes that `segments` list, over all rows of the right-hand side.
    #[inline(always)]
    fn sum<S: Simd, const R: usize, const V: usize>(
        &mut self,
        simd: S,
        side: &Side<'_>,
        segments: &[Segment],
    ) {
        let depth = side.depth();
        let Some(last) = segments.last() else {
            return;
        };
        let width = V * S::F32_LANES;
        let panels = (last.packed + last.lanes).div_ceil(width);
        // A class without taps has nothing to add, but is written nevertheless.
        let parts = depth.div_ceil(DEPTH).max(1);
        let step = depth.div_ceil(parts);
        let height = self.tile.rows.len();
        for part in 0..parts {
            let steps = (part * step).min(depth)..((part + 1) * step).min(depth);
            let count = steps.len();
            let Room {
                offsets,
                left,
                right,
                ..
            } = &mut *self.room;
            side.offsets(&self.product.left, steps.clone(), offsets);
            left.resize(height.div_ceil(R) * R * count, 0.0);
            right.resize(panels * width * count, 0.0);
            for (tile, packed) in left.chunks_exact_mut((R * count).max(1)).enumerate() {
                let first = tile * R;
                let rows = self.tile.first_row + first..self.tile.first_row + height.min(first + R);
                pack_left::<R>(&self.product.left, rows, offsets, packed);
            }
            side.pack::<S>(steps, segments, width, right);
            let (left, right) = (&*left, &*right);
            let mut segments = segments;
            for panel in 0..panels {
                let until = (panel + 1) * width;
                let here = segments.partition_point(|s| s.packed < until);
                let (mine, others) = segments.split_at(here);
                segments = others;
                let right = &right[panel * width * count..][..width * count];
                for first in (0..height).step_by(R) {
                    let left = &left[first * count..][..R * count];
                    let mut sums = [0f32; 256];
                    let sums = &mut sums[..R * width];
                    multiply::<S, R, V>(simd, left, right, sums);
                    let rows = first..height.min(first + R);
                    let ends = [part == 0, part + 1 == parts];
                    self.tile.add(self.product, rows, sums, mine, width, ends);
                }
            }
        }
    }
}

/// The sums `[R][width]` of a packed panel of either side.
///
/// Plain loops: a closure would be compiled without the machine's vectors where it is not inlined.
#[inline(always)]
fn multiply<S: Simd, const R: usize, const V: usize>(
    simd: S,
    left: &[f32],
    right: &[f32],
    sums: &mut [f32],
) {
    let mut held = [[simd.splat_f32s(0.0); V]; R];
    let (left, _) = left.as_chunks::<R>();
    let (right, _) = S::as_simd_f32s(right);
    let (right, _) = right.as_chunks::<V>();
    for (l, r) in left.iter().zip(right) {
        for i in 0..R {
            let l = simd.splat_f32s(l[i]);
            for n in 0..V {
                held[i][n] = simd.mul_add_e_f32s(l, r[n], held[i][n]);
            }
        }
    }
    let (sums, _) = S::as_mut_simd_f32s(sums);
    let (sums, _) = sums.as_chunks_mut::<V>();
    for i in 0..R {
        for n in 0..V {
            sums[i][n] = held[i][n];
        }
    }
}
