//! How the CPU twins divide an output into pieces that tasks write.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::threads::DealOut;

/// Rows that a thread takes at a time, in a layer with this many: enough to outweigh distributing them, and few enough
/// to share the work evenly, even for a classifier's ten long rows.
pub(crate) fn rows_per_task(rows: usize) -> usize {
    (rows / 64).clamp(1, 32)
}

/// Bytes of a source that a last-level cache may hold: rows gathered from a source up to this size are written whole.
const WHOLE_BYTES: usize = 16 << 20;

/// Bytes of a source that a core's own cache may hold.
const NEAR_BYTES: usize = 1 << 20;

/// Fewest lanes of a short row that a task takes.
const SHORT_LANES: usize = 64;

/// Bytes of a part of a larger source.
const PART_BYTES: usize = 2 << 20;

/// Fewest lanes of a row that are worth a task: shorter parts of rows that are written one below another cost more than
/// the cache saves.
const FEWEST_LANES: usize = 512;

/// Lanes of a row that a task takes, for rows of `lanes` gathered from a source of `words`: all, or as many as keep
/// that part of the source in the cache while all rows are written. For short rows (a batch's), such a part is what
/// fits a core's own cache.
pub(crate) fn lanes_per_task(words: usize, lanes: usize) -> usize {
    let bytes = words * size_of::<f32>();
    if lanes <= FEWEST_LANES && bytes > NEAR_BYTES {
        let each = NEAR_BYTES * lanes / bytes / SHORT_LANES * SHORT_LANES;
        return each.max(SHORT_LANES).min(lanes);
    }
    if bytes <= WHOLE_BYTES {
        return lanes;
    }
    let each = PART_BYTES * lanes / bytes;
    each.next_multiple_of(FEWEST_LANES).max(FEWEST_LANES)
}

/// A part of one unit's row (or plane) of an output.
pub(crate) struct Piece<'a> {
    pub unit: usize,
    /// Which part of the unit's row it is, and so from which part of a source it is gathered.
    pub part: usize,
    pub words: &'a mut [f32],
}

/// An output of rows of `row` words, in pieces of `piece`. Pieces of the same part follow each other, so that tasks
/// that run at the same time find their part of the source in the cache.
pub(crate) fn pieces(output: &mut [f32], row: usize, piece: usize) -> Vec<Piece<'_>> {
    let parts = row.div_ceil(piece);
    let mut rows: Vec<_> = output
        .chunks_mut(row)
        .map(|row| row.chunks_mut(piece))
        .collect();
    let mut pieces = Vec::with_capacity(rows.len() * parts);
    for part in 0..parts {
        for (unit, row) in rows.iter_mut().enumerate() {
            pieces.extend(row.next().map(|words| Piece { unit, part, words }));
        }
    }
    pieces
}

/// A product that writes rows: any lanes of any row independently.
pub(crate) trait Rows: Sync {
    /// Writes the lanes from `lane` on, as many as `output` has, of a unit's row.
    fn write<S: Simd>(&self, simd: S, unit: usize, lane: usize, output: &mut [f32]);
}

/// Writes all rows of `output`, which are `lanes` wide and gathered from a source of `words`.
pub(crate) fn write_rows(rows: &impl Rows, words: usize, lanes: usize, output: &mut [f32]) {
    let arch = pulp::Arch::new();
    let some = rows_per_task(output.len() / lanes);
    let each = lanes_per_task(words, lanes);
    if each < lanes {
        pieces(output, lanes, each)
            .par_chunks_mut(some)
            .deal_out(|pieces| {
                let pieces = pieces
                    .iter_mut()
                    .map(|piece| (piece.unit, piece.part * each, &mut *piece.words));
                arch.dispatch(Task { rows, pieces });
            });
    } else {
        output
            .par_chunks_mut(some * lanes)
            .enumerate()
            .deal_out(|(task, output)| {
                let pieces = output
                    .chunks_exact_mut(lanes)
                    .enumerate()
                    .map(|(i, words)| (task * some + i, 0, words));
                arch.dispatch(Task { rows, pieces });
            });
    }
}

/// Parts of rows: the unit, the first lane, and where they are written.
struct Task<'a, R, I> {
    rows: &'a R,
    pieces: I,
}

impl<'a, R: Rows, I: Iterator<Item = (usize, usize, &'a mut [f32])>> WithSimd for Task<'_, R, I> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        for (unit, lane, words) in self.pieces {
            self.rows.write(simd, unit, lane, words);
        }
    }
}
