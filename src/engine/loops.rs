//! How long an invocation's loops may be, and how a dispatch is cut where they would be longer.
//!
//! Mesa's llvmpipe ends the loops of an invocation, all of them together, after 65,535 iterations (its constant
//! `LP_MAX_TGSI_LOOP_ITERATIONS`), and says nothing: sums are then short of their last terms. Loops that grow with the batch, a
//! plane, a row or a layer get there at sizes that people train. So every kernel states the iterations of its busiest
//! invocation for its parameters and a workgroup shape, and [`Plan::dispatch`](super::Plan::dispatch) refuses more than
//! [`MOST_ITERATIONS`] of them. A kernel with long loops is cut into [`Piece`]s, which an adapter runs one after the other, in a
//! fixed order; each adds to what the ones before have written. The twin has no such limit and runs whole.

use std::ops::Range;

use super::plan::Grid;
use super::shape::WorkgroupShape;

/// Most iterations of all its loops together that an invocation of any kernel makes: three quarters of what llvmpipe allows
/// the invocations that share a CPU vector, whose loops last as long as the longest among them.
pub const MOST_ITERATIONS: u64 = 3 << 14;

crate::uniform! {
    /// The share of a dispatch's work that a piece has: the uniform `part` of shaders that import `part`. What the ranges are
    /// ranges of is the kernel's own; those that it does not cut are whole.
    pub struct Part {
        /// First of the terms, vectors or positions.
        begin: u32,
        /// One behind the last.
        end: u32,
        /// First row of positions.
        begin_y: u32,
        /// One behind the last.
        end_y: u32,
        /// Workgroups that share a row of connections.
        chunks: u32,
    }
}

/// One of the dispatches that stand for a recorded one on an adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Its share of the work.
    pub part: Part,
    /// Its grid.
    pub grid: Grid,
    /// Iterations of all loops of its busiest invocation, by [`looped`].
    pub iterations: u64,
}

impl Piece {
    /// A dispatch that is never cut.
    pub fn whole(grid: Grid, iterations: u64) -> Vec<Piece> {
        vec![Piece {
            part: Part::default(),
            grid,
            iterations,
        }]
    }

    /// A dispatch in pieces that each have a range of `0..total`, in order: as few and as equal as `iterations(length)` allows,
    /// in multiples of `step`.
    pub fn ranges(
        grid: Grid,
        total: u32,
        step: u32,
        iterations: impl Fn(u32) -> u64,
    ) -> Vec<Piece> {
        let piece = |range: Range<u32>| Piece {
            part: Part {
                begin: range.start,
                end: range.end,
                ..Part::default()
            },
            grid,
            iterations: iterations(range.end - range.start),
        };
        cut(total, step, &iterations)
            .into_iter()
            .map(piece)
            .collect()
    }
}

/// Rounds of a search by halves among 2^32 items.
pub const SEARCH: u32 = 32;

/// Iterations of a loop of `rounds` whose body has `inner`: the round that finds the end counts, too.
pub fn looped(rounds: u32, inner: u64) -> u64 {
    u64::from(rounds)
        .saturating_mul(inner.saturating_add(1))
        .saturating_add(1)
}

/// Cuts `0..total` into as few ranges as keep `iterations(length)` at most [`MOST_ITERATIONS`], equal but for rounding to
/// multiples of `step`. Whole, if not even `step` is few enough.
pub fn cut(total: u32, step: u32, iterations: impl Fn(u32) -> u64) -> Vec<Range<u32>> {
    let fits = |steps: u32| iterations(total.min(steps.saturating_mul(step))) <= MOST_ITERATIONS;
    let steps = total.div_ceil(step);
    if steps < 2 || fits(steps) || !fits(1) {
        return std::iter::once(0..total).collect();
    }
    let (mut most, mut above) = (1, steps);
    while above - most > 1 {
        let middle = most + (above - most) / 2;
        match fits(middle) {
            true => most = middle,
            false => above = middle,
        }
    }
    let length = steps.div_ceil(steps.div_ceil(most)) * step;
    (0..total)
        .step_by(length as usize)
        .map(|begin| begin..begin.saturating_add(length).min(total))
        .collect()
}

/// The dispatches of a kernel with parameters `params` over `grid`, in a workgroup shape.
pub type Pieces<P> = fn(params: &P, grid: Grid, shape: WorkgroupShape) -> Vec<Piece>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_few_equal_and_in_order() {
        let iterations = |n| looped(n, 3);
        let most = ((MOST_ITERATIONS - 1) / 4) as u32;
        for (total, step, pieces) in [
            (0, 1, 1),
            (1, 1, 1),
            (most, 1, 1),
            (most + 1, 1, 2),
            (10 * most, 1, 10),
            (10 * most + 1, 1, 11),
            (most, 32, 1),
            (3 * most, 32, 4),
            (3 * most / 32 * 32 - 3200, 32, 3),
        ] {
            let ranges = cut(total, step, iterations);
            assert_eq!(ranges.len(), pieces, "{total} by {step}: {ranges:?}");
            assert_eq!(ranges[0].start, 0);
            assert_eq!(ranges[pieces - 1].end, total);
            let lengths = ranges.iter().map(ExactSizeIterator::len);
            let (short, long) = (lengths.clone().min(), lengths.clone().max());
            assert!(long.unwrap() - short.unwrap() < pieces * step as usize);
            for (range, next) in ranges.iter().zip(&ranges[1..]) {
                assert_eq!(range.end, next.start);
                assert_eq!(range.start % step, 0);
            }
            for length in lengths {
                assert!(iterations(length as u32) <= MOST_ITERATIONS);
            }
        }
    }

    #[test]
    fn what_no_cut_helps_stays_whole() {
        assert_eq!(cut(100, 8, |_| u64::MAX), [0..100]);
        assert_eq!(looped(u32::MAX, u64::MAX), u64::MAX);
        assert_eq!(cut(u32::MAX, 1, |n| looped(n, 0)).len(), 87_386);
    }
}
