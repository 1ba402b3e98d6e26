//! Products of rows with rows: the weight gradient of layers with many positions.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::patches::{Class, Patches, Segment};
use super::product::{Tile, tiles};
use crate::threads::DealOut;

/// Lanes between two visits to the output, where the sums are folded: 4 rows are 16 KiB, half of a first-level cache.
const LANES: usize = 1024;

/// Most rows of `delta`, and of the patches, in a task: 512 KiB and 128 KiB.
const MOST_ROWS: usize = 128;
const MOST_PATCHES: usize = 32;

/// Rows of `delta`, and of patches, whose products are summed at the same time.
const HELD: usize = 4;

/// `output[m][k] = sum over lanes of delta[m] * patches[k]`, or adds to it.
///
/// Bound by the multiply-adds: a tile of `HELD` by `HELD` sums in registers, each a vector wide, moves along the lanes,
/// loading 8 operands for 16 multiply-adds.
pub(crate) struct RowProducts<'a> {
    pub patches: &'a Patches<'a>,
    pub class: &'a Class,
    /// `[rows][lanes]`: as many lanes as the patches have.
    pub delta: &'a [f32],
    pub accumulate: bool,
}

impl RowProducts<'_> {
    /// Writes `output`, rows of `n_in` words.
    pub fn write(&self, output: &mut [f32], n_in: usize) {
        // The tasks read all lanes of their rows. Small layers are divided more finely, so that all threads have work.
        let patches = n_in.div_ceil(8).next_multiple_of(HELD).min(MOST_PATCHES);
        let arch = pulp::Arch::new();
        tiles(output, n_in, MOST_ROWS, patches)
            .into_par_iter()
            .deal_out_init(Room::default, |room, tile| {
                arch.dispatch(Task {
                    product: self,
                    room,
                    tile,
                });
            });
    }
}

/// A thread's copies of what a task reads.
#[derive(Default)]
struct Room {
    segments: Vec<Segment>,
    packed: Vec<f32>,
}

struct Task<'a> {
    product: &'a RowProducts<'a>,
    room: &'a mut Room,
    tile: Tile<'a>,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // 16 sums in 32 vector registers, or 8 in 16.
        match S::F32_LANES {
            16 | 4 => self.run::<S, 4>(simd),
            _ => self.run::<S, 2>(simd),
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn run<S: Simd, const N: usize>(mut self, simd: S) {
        let RowProducts { patches, class, .. } = self.product;
        let lanes = patches.plane();
        if !self.product.accumulate {
            for row in &mut self.tile.rows {
                row.fill(0.0);
            }
        }
        for first in (0..lanes).step_by(LANES) {
            let block = first..(first + LANES).min(lanes);
            let Room { segments, packed } = &mut *self.room;
            // One panel, in whole vectors.
            let width = block.len().next_multiple_of(S::F32_LANES);
            let columns = self.tile.lanes();
            let count = columns.len().next_multiple_of(N);
            patches.segments(class, block.clone(), width, segments);
            packed.resize(count * width, 0.0);
            patches.pack::<S>(class, columns, segments, width, &mut packed[..]);
            for k in (0..count).step_by(N) {
                let mut held = [&packed[..]; N];
                for n in 0..N {
                    held[n] = &packed[(k + n) * width..][..width];
                }
                for m in (0..self.tile.rows.len()).step_by(HELD) {
                    self.tile
                        .add_products::<S, N>(simd, self.product, [m, k], block.clone(), held);
                }
            }
        }
    }
}

impl Tile<'_> {
    /// Adds the products of `HELD` rows of delta with these rows of patches, over the lanes `block`, to the output from
    /// `[m, k]` on.
    #[inline(always)]
    fn add_products<S: Simd, const N: usize>(
        &mut self,
        simd: S,
        product: &RowProducts<'_>,
        [m, k]: [usize; 2],
        block: Range<usize>,
        patches: [&[f32]; N],
    ) {
        let lanes = product.patches.plane();
        let whole = block.len() / S::F32_LANES * S::F32_LANES;
        let last = self.rows.len() - 1;
        let mut delta = [product.delta; HELD];
        // The lanes short of a vector, followed by zeros.
        let mut rests = [[0f32; 16]; HELD];
        for i in 0..HELD {
            // Rows past the last are summed like it, and dropped.
            let row = self.first_row + (m + i).min(last);
            let of_row = &product.delta[row * lanes..][block.clone()];
            delta[i] = &of_row[..whole];
            rests[i][..of_row.len() - whole].copy_from_slice(&of_row[whole..]);
        }
        let mut held = [[simd.splat_f32s(0.0); N]; HELD];
        multiply::<S, N>(simd, delta, patches, &mut held);
        if whole < block.len() {
            let mut rest = [product.delta; HELD];
            for i in 0..HELD {
                rest[i] = &rests[i][..S::F32_LANES];
            }
            let mut patch = patches;
            for n in 0..N {
                patch[n] = &patches[n][whole..];
            }
            multiply::<S, N>(simd, rest, patch, &mut held);
        }
        for (row, held) in self.rows[m..].iter_mut().zip(&held) {
            for (sum, held) in row[k..].iter_mut().zip(held) {
                *sum += simd.reduce_sum_f32s(*held);
            }
        }
    }
}

/// Adds the products of all vectors of `delta` with those of `patches`.
///
/// Plain loops: a closure would be compiled without the machine's vectors where it is not inlined.
#[inline(always)]
fn multiply<S: Simd, const N: usize>(
    simd: S,
    delta: [&[f32]; HELD],
    patches: [&[f32]; N],
    held: &mut [[S::f32s; N]; HELD],
) {
    let (first, _) = S::as_simd_f32s(delta[0]);
    let count = first.len();
    let mut d = [first; HELD];
    for i in 0..HELD {
        d[i] = &S::as_simd_f32s(delta[i]).0[..count];
    }
    let mut p = [first; N];
    for n in 0..N {
        p[n] = &S::as_simd_f32s(patches[n]).0[..count];
    }
    for v in 0..count {
        for i in 0..HELD {
            for n in 0..N {
                held[i][n] = simd.mul_add_e_f32s(d[i][v], p[n][v], held[i][n]);
            }
        }
    }
}
