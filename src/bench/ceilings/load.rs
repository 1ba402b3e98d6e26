//! The load ceiling's kernel.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::engine::WorkgroupShape;
use crate::engine::loops::{Loops, NONE, looped};
use crate::threads::DealOut;

crate::kernel! {
    /// `output[b, i] = sum over terms of input[a, i]`, where each row takes its rows `a` from a pseudo-random sequence
    /// of its own: measures how fast storage can be read in the pattern of the sparse products.
    ///
    /// State 0 of row b is `b * 2654435761`, the next is `state * multiplier + increment` (modulo 2^32), and `a` is
    /// `((state >> shift) * factor) >> down`. Shapes: `input` `[input rows][4 * vectors]`, `output`
    /// `[rows][4 * vectors]`. Grid: [`Rows`](crate::engine::Grid::Rows) = `rows`.
    pub Load, LoadParams, LoadTwin = "bench/load", shader!("bench/load");
    params {
        /// Rows of the output.
        rows: u32,
        /// Vectors of four words in a row.
        vectors: u32,
        /// Rows of the input that are summed for each row of the output.
        terms: u32,
        /// Low bits of a state that are dropped.
        shift: u32,
        /// The factor for the remaining bits.
        factor: u32,
        /// Low bits of the product that are dropped.
        down: u32,
        /// Multiplier of the sequence of rows.
        multiplier: u32,
        /// Increment of the sequence of rows.
        increment: u32,
    }
    loops LoadParams::loops;
    read input: f32,
    write output: f32,
}

/// The order in which rows are loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Random, like the connections of a random graph.
    Random,
    /// One after another.
    Sequential,
}

/// An input may have any number of rows up to this; above it, only powers of two.
const ANY_ROWS: usize = 1 << 16;

impl LoadParams {
    /// `rows` sums of `terms` rows each of an input of `input_rows`. Above 65,536, only as many input rows are used as
    /// the next lower power of two.
    pub fn new(
        rows: usize,
        vectors: usize,
        input_rows: usize,
        terms: u32,
        pattern: Pattern,
    ) -> Self {
        let (shift, factor, down) = match input_rows <= ANY_ROWS {
            true => (16, input_rows as u32, 16),
            false => (32 - input_rows.ilog2().min(31), 1, 0),
        };
        let (multiplier, increment) = match pattern {
            // Numerical Recipes' generator.
            Pattern::Random => (1_664_525, 1_013_904_223),
            Pattern::Sequential if input_rows > ANY_ROWS => (1, 1 << shift),
            Pattern::Sequential => (1, ((1u64 << 32) / input_rows.max(1) as u64) as u32),
        };
        LoadParams {
            rows: rows as u32,
            vectors: vectors as u32,
            terms,
            shift,
            factor,
            down,
            multiplier,
            increment,
        }
    }

    fn loops(&self, shape: WorkgroupShape) -> Loops {
        let vectors = self.vectors.div_ceil(shape.lanes());
        looped(vectors, looped(self.terms, NONE))
    }

    /// The rows of the input that are summed into row `unit` of the output.
    #[inline(always)]
    pub fn sequence(self, unit: u32) -> impl Iterator<Item = usize> + Clone {
        let next = move |state: &u32| {
            Some(
                state
                    .wrapping_mul(self.multiplier)
                    .wrapping_add(self.increment),
            )
        };
        std::iter::successors(Some(unit.wrapping_mul(2_654_435_761)), next)
            .take(self.terms as usize)
            .map(move |state| {
                ((state >> self.shift).wrapping_mul(self.factor) >> self.down) as usize
            })
    }
}

/// Rows that a thread takes at a time, like the sparse products.
const ROWS_PER_TASK: usize = 32;

/// Vectors of sums held in registers at a time, like the sparse products.
const HELD: usize = 8;

impl LoadTwin<'_> {
    fn run(self) {
        let lanes = self.params.vectors as usize * 4;
        let arch = pulp::Arch::new();
        self.output[..self.params.rows as usize * lanes]
            .par_chunks_mut(ROWS_PER_TASK * lanes)
            .enumerate()
            .deal_out(|(task, output)| {
                arch.dispatch(Rows {
                    params: self.params,
                    first: task * ROWS_PER_TASK,
                    lanes,
                    input: self.input,
                    output,
                });
            });
    }
}

/// The rows of one task.
struct Rows<'a> {
    params: LoadParams,
    first: usize,
    lanes: usize,
    input: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for Rows<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (i, output) in self.output.chunks_exact_mut(self.lanes).enumerate() {
            let unit = (self.first + i) as u32;
            let rows = self
                .params
                .sequence(unit)
                .map(|row| &self.input[row * self.lanes..][..self.lanes]);
            let (vectors, tail) = S::as_mut_simd_f32s(output);
            let (blocks, rest) = vectors.as_chunks_mut::<HELD>();
            let in_blocks = blocks.len() * HELD;
            for (k, block) in blocks.iter_mut().enumerate() {
                let mut sums = [simd.splat_f32s(0.0); HELD];
                for row in rows.clone() {
                    let (x, _) = S::as_simd_f32s(row);
                    let x = &x[k * HELD..][..HELD];
                    for i in 0..HELD {
                        sums[i] = simd.add_f32s(sums[i], x[i]);
                    }
                }
                *block = sums;
            }
            for (k, vector) in rest.iter_mut().enumerate() {
                let mut sum = simd.splat_f32s(0.0);
                for row in rows.clone() {
                    let (x, _) = S::as_simd_f32s(row);
                    sum = simd.add_f32s(sum, x[in_blocks + k]);
                }
                *vector = sum;
            }
            if !tail.is_empty() {
                let mut sum = simd.splat_f32s(0.0);
                for row in rows {
                    let (_, x) = S::as_simd_f32s(row);
                    sum = simd.add_f32s(sum, simd.partial_load_f32s(x));
                }
                simd.partial_store_f32s(tail, sum);
            }
        }
    }
}
