//! How long an invocation's loops may be, and how a dispatch is split if they would be longer.
//!
//! Mesa's llvmpipe silently ends the loops of an invocation, all of them together, after 65,535 iterations (its
//! constant `LP_MAX_TGSI_LOOP_ITERATIONS`): sums then lack their last terms. Loops that grow with the batch, a plane, a
//! row or a layer reach that number at sizes that people train. So every kernel states its [`Loops`] for its parameters
//! and a workgroup shape, and [`Plan::dispatch`](crate::engine::Plan::dispatch) refuses more than
//! [`MOST_ITERATIONS`]. A kernel with long loops is split into [`Piece`]s, which an adapter runs one after the other, in
//! a fixed order; each adds to what the previous ones have written. The twin has no such limit and runs whole.

use std::ops::{Add, Mul, Range};

use super::grid::Grid;
use super::shape::WorkgroupShape;

/// Maximum number of iterations of all loops together for an invocation of any kernel: less than llvmpipe allows, since
/// another version may count somewhat differently.
pub const MOST_ITERATIONS: u64 = 60_000;

/// Loops of an invocation, as llvmpipe counts them for the invocations that share a CPU vector.
///
/// A loop lasts as long as the longest among those invocations, and if a branch divides them, both sides are executed.
/// The round that ends a loop counts, and goes through the inner loops for one round each, with no invocation taking
/// part.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Loops {
    /// Iterations of all loops together.
    pub iterations: u64,
    /// Number of loops in the text.
    pub loops: u64,
}

/// No loops.
pub const NONE: Loops = Loops {
    iterations: 0,
    loops: 0,
};

/// A loop of `rounds` with other loops inside.
pub fn looped(rounds: u32, inside: Loops) -> Loops {
    let round = inside.iterations.saturating_add(1);
    let end = 1 + inside.loops;
    Loops {
        iterations: u64::from(rounds).saturating_mul(round).saturating_add(end),
        loops: end,
    }
}

/// A loop of `rounds` in steps of four, and one for the rest, so that several loads are in flight together.
pub fn by_fours(rounds: u32, inside: Loops) -> Loops {
    looped(rounds / 4, inside) + looped(rounds.min(3), inside)
}

/// The loops of `workgroup_sum`: see `shaders/lib/workgroup_sum.wgsl`.
pub fn workgroup_sum(shape: WorkgroupShape) -> Loops {
    let group = 8;
    looped(group, NONE) + looped(shape.invocations() / group, NONE)
}

/// Further rounds of a loop that is stated elsewhere.
pub fn further(rounds: u32) -> Loops {
    Loops {
        iterations: rounds.into(),
        ..NONE
    }
}

/// Loops one after the other, or on both sides of a branch.
impl Add for Loops {
    type Output = Loops;

    fn add(self, other: Loops) -> Loops {
        Loops {
            iterations: self.iterations.saturating_add(other.iterations),
            loops: self.loops + other.loops,
        }
    }
}

/// The same loops several times.
impl Mul<Loops> for u64 {
    type Output = Loops;

    fn mul(self, loops: Loops) -> Loops {
        Loops {
            iterations: self.saturating_mul(loops.iterations),
            loops: self * loops.loops,
        }
    }
}

/// Rounds of a binary search among 2^32 items.
pub const SEARCH: u32 = 32;

crate::uniform! {
    /// A piece's share of a dispatch's work: the uniform `part` of shaders that import `part`. The kernel defines what
    /// the ranges are ranges of; ranges that it does not split are whole.
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

/// One of the dispatches that replace a recorded one on an adapter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// Its share of the work.
    pub part: Part,
    /// Its grid.
    pub grid: Grid,
    /// Iterations of all loops of its busiest invocation: see [`Loops`].
    pub iterations: u64,
}

impl Piece {
    /// A dispatch that is never split.
    pub fn whole(grid: Grid, loops: Loops) -> Vec<Piece> {
        vec![Piece {
            part: Part::default(),
            grid,
            iterations: loops.iterations,
        }]
    }

    /// A dispatch in pieces that each have a range of `0..total`, in order: as few and as equal as `loops(length)`
    /// allows, in multiples of `step`.
    pub fn ranges(grid: Grid, total: u32, step: u32, loops: impl Fn(u32) -> Loops) -> Vec<Piece> {
        let piece = |range: Range<u32>| Piece {
            part: Part {
                begin: range.start,
                end: range.end,
                ..Part::default()
            },
            grid,
            iterations: loops(range.end - range.start).iterations,
        };
        cut(total, step, &loops).into_iter().map(piece).collect()
    }

    /// As [`Piece::ranges`], if `invocations` take turns within a range: `loops` takes the number of turns of one.
    pub fn dealt(
        grid: Grid,
        total: u32,
        invocations: u32,
        loops: impl Fn(u32) -> Loops,
    ) -> Vec<Piece> {
        Piece::ranges(grid, total, invocations, |length| {
            loops(length.div_ceil(invocations))
        })
    }
}

/// Splits `0..total` into as few ranges as keep `loops(length)` at most [`MOST_ITERATIONS`], equal except for rounding
/// to multiples of `step`. Returns the whole range if not even `step` is short enough.
pub fn cut(total: u32, step: u32, loops: impl Fn(u32) -> Loops) -> Vec<Range<u32>> {
    let step = step.max(1);
    let fits = |steps: u32| {
        let length = total.min(steps.saturating_mul(step));
        loops(length).iterations <= MOST_ITERATIONS
    };
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
        let loops = |n| looped(n, further(3));
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
            (3 * most - 3200, 32, 3),
        ] {
            let ranges = cut(total, step, loops);
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
                assert!(loops(length as u32).iterations <= MOST_ITERATIONS);
            }
        }
    }

    #[test]
    fn what_no_cut_helps_stays_whole() {
        let endless = looped(u32::MAX, looped(u32::MAX, looped(u32::MAX, NONE)));
        assert_eq!(endless.iterations, u64::MAX);
        let whole = cut(100, 8, |_| endless);
        assert_eq!((whole.len(), whole[0].clone()), (1, 0..100));
        let pieces = u32::MAX.div_ceil(MOST_ITERATIONS as u32 - 1);
        let loops = |n| looped(n, NONE);
        assert_eq!(cut(u32::MAX, 1, loops).len(), pieces as usize);
    }

    /// As measured on llvmpipe of Mesa 22.3: how many rounds of the outermost loop run before it ends them.
    #[test]
    fn iterations_are_those_that_llvmpipe_counts() {
        let two = |inner| looped(1, looped(inner, NONE)).iterations - 2;
        let three = |middle, inner| {
            let inside = looped(middle, looped(inner, NONE));
            looped(1, inside).iterations - 3
        };
        for (iterations, rounds) in [
            (two(1), 21_845),
            (two(7), 7281),
            (three(1, 1), 10_922),
            (three(4, 1), 4369),
            (three(4, 2), 3449),
            (three(4, 7), 1680),
            (three(1, 4), 7281),
        ] {
            assert_eq!(65_535 / iterations, rounds);
        }
    }
}
