//! The inner loops that the norms' CPU twins share: sums over rows of samples, and the distribution of rows over
//! threads.

use pulp::Simd;
use rayon::prelude::*;

use crate::engine::loops::{Loops, NONE, by_fours, looped};
use crate::engine::{ShapeFamily, WorkgroupShape};
use crate::threads::DealOut;

/// Number of partial sums that a sum keeps until its end: two vectors of AVX-512, four of AVX2. They determine the
/// result's bits, so the number is the same everywhere.
const PARTIAL: usize = 32;

/// The numbers of those lanes.
const LANE_NUMBERS: [f32; PARTIAL] = {
    let mut numbers = [0.0; PARTIAL];
    let mut lane = 0;
    while lane < PARTIAL {
        numbers[lane] = lane as f32;
        lane += 1;
    }
    numbers
};

/// `N` sums over the first `count` lanes of every `lanes` lanes of `M` equally long arrays.
///
/// A sum has [`PARTIAL`] interleaved partial sums, folded by halves: the same order at any vector width.
#[inline(always)]
pub(super) fn sums<S: Simd, const M: usize, const N: usize>(
    simd: S,
    arrays: [&[f32]; M],
    lanes: usize,
    count: usize,
    term: impl Fn([S::f32s; M]) -> [S::f32s; N],
) -> [f32; N] {
    let parts = PARTIAL / S::F32_LANES;
    let zero = simd.splat_f32s(0.0);
    let mut partial = [[zero; N]; PARTIAL];
    let length = arrays[0].len();
    // A full batch has no gaps: one long row.
    let (lanes, count) = if count == lanes {
        (length.max(1), length)
    } else {
        (lanes, count)
    };
    // The lanes that exist in the last, partial chunk of a row.
    let rest = count % PARTIAL;
    let (numbers, _) = S::as_simd_f32s(&LANE_NUMBERS);
    let mut members = [simd.less_than_f32s(zero, zero); PARTIAL];
    for p in 0..parts {
        members[p] = simd.less_than_f32s(numbers[p], simd.splat_f32s(rest as f32));
    }
    let mut values = [zero; M];
    for first in (0..length).step_by(lanes) {
        let mut rows = arrays;
        for row in &mut rows {
            *row = &row[first..first + count];
        }
        for k in (0..count - rest).step_by(PARTIAL) {
            for (p, partial) in partial.iter_mut().take(parts).enumerate() {
                for m in 0..M {
                    values[m] = S::as_simd_f32s(&rows[m][k..k + PARTIAL]).0[p];
                }
                let terms = term(values);
                for n in 0..N {
                    partial[n] = simd.add_f32s(partial[n], terms[n]);
                }
            }
        }
        if rest > 0 {
            for (p, partial) in partial.iter_mut().take(parts).enumerate() {
                let from = count - rest + (p * S::F32_LANES).min(rest);
                let to = (from + S::F32_LANES).min(count);
                for m in 0..M {
                    values[m] = simd.partial_load_f32s(&rows[m][from..to]);
                }
                let terms = term(values);
                for n in 0..N {
                    let term = simd.select_f32s(members[p], terms[n], zero);
                    partial[n] = simd.add_f32s(partial[n], term);
                }
            }
        }
    }
    let mut left = parts;
    while left > 1 {
        left /= 2;
        let (low, high) = partial.split_at_mut(left);
        for (low, high) in low.iter_mut().zip(high) {
            for (low, high) in low.iter_mut().zip(high) {
                *low = simd.add_f32s(*low, *high);
            }
        }
    }
    // Halved again within the vector: the same order at any width.
    partial[0].map(|sum| simd.reduce_sum_f32s(sum))
}

/// Loops of an invocation over a tile of `rows` of `vectors`.
pub(super) fn tile(vectors: u32, rows: u32, shape: WorkgroupShape) -> Loops {
    let [vectors, rows] = [vectors.div_ceil(shape.lanes()), rows.div_ceil(shape.rows())];
    let rows = match shape.family {
        ShapeFamily::Hardware => by_fours(rows, NONE),
        // The loop by fours ends at once.
        ShapeFamily::Software => looped(0, NONE) + looped(rows, NONE),
    };
    looped(vectors, rows)
}

/// Minimum number of words that a thread takes at a time, if there are that many: 64 KiB.
const TASK: usize = 16 * 1024;

/// Number of words in a part of a plane of `positions` times `lanes` words: whole positions.
pub(super) fn part(lanes: usize) -> usize {
    (TASK / lanes).max(1) * lanes
}

/// Calls `work` with the channel, the offset in its plane, and the words of each part of `array`, in parallel.
///
/// `array` is `[channels][positions][lanes]`; a plane belongs to one channel.
pub(super) fn for_each_part(
    array: &mut [f32],
    plane: usize,
    lanes: usize,
    work: impl Fn(usize, usize, &mut [f32]) + Sync,
) {
    let part = part(lanes);
    array
        .par_chunks_mut(plane)
        .with_min_len((TASK / plane).max(1))
        .enumerate()
        .deal_out(|(channel, plane)| {
            plane
                .par_chunks_mut(part)
                .enumerate()
                .deal_out(|(i, words)| work(channel, i * part, words));
        });
}

/// As [`for_each_part`] over two arrays of one shape.
pub(super) fn for_each_pair_of_parts(
    arrays: [&mut [f32]; 2],
    plane: usize,
    lanes: usize,
    work: impl Fn(usize, usize, &mut [f32], &mut [f32]) + Sync,
) {
    let part = part(lanes);
    let [a, b] = arrays;
    a.par_chunks_mut(plane)
        .zip(b.par_chunks_mut(plane))
        .with_min_len((TASK / plane).max(1))
        .enumerate()
        .deal_out(|(channel, (a, b))| {
            a.par_chunks_mut(part)
                .zip(b.par_chunks_mut(part))
                .enumerate()
                .deal_out(|(i, (a, b))| work(channel, i * part, a, b));
        });
}

/// Writes zero to the lanes from `count` on in every row of `lanes` words.
pub(super) fn clear_padding(words: &mut [f32], lanes: usize, count: usize) {
    // Short rows are numerous, and a call for each would take longer than the lanes.
    if lanes == 4 && count < 4 {
        let (rows, _) = words.as_chunks_mut::<4>();
        for row in rows {
            *row = std::array::from_fn(|lane| if lane < count { row[lane] } else { 0.0 });
        }
    } else if count < lanes {
        for row in words.chunks_exact_mut(lanes) {
            row[count..].fill(0.0);
        }
    }
}
