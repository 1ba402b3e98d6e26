//! The lanes of a block of rows, divided among threads: each gets a column of lanes of every row.

use std::marker::PhantomData;
use std::ops::Range;

/// Lanes of a column: one vector of AVX-512 and one cache line, so that no two threads write to the same line.
pub(super) const COLUMN: usize = 16;

/// Some lanes of every row of a block `[rows][lanes]`, to be written by one thread.
pub(super) struct Column<'a> {
    base: *mut f32,
    rows: usize,
    lanes: usize,
    range: Range<usize>,
    block: PhantomData<&'a mut [f32]>,
}

#[expect(
    unsafe_code,
    reason = "disjoint lanes of one block for several threads"
)]
// SAFETY: a column exclusively borrows its lanes, and no other column has them.
unsafe impl Send for Column<'_> {}

/// Splits a block `[rows][lanes]` into columns of [`COLUMN`] lanes; the last may be narrower.
pub(super) fn columns(block: &mut [f32], lanes: usize) -> impl Iterator<Item = Column<'_>> {
    let rows = block.len() / lanes;
    let base = block.as_mut_ptr();
    (0..lanes).step_by(COLUMN).map(move |first| Column {
        base,
        rows,
        lanes,
        range: first..(first + COLUMN).min(lanes),
        block: PhantomData,
    })
}

impl Column<'_> {
    /// Its lanes.
    pub(super) fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// `lanes` of row `row`, which must be among the column's.
    #[inline(always)]
    #[expect(
        unsafe_code,
        reason = "disjoint lanes of one block for several threads"
    )]
    pub(super) fn row(&mut self, row: usize, range: Range<usize>) -> &mut [f32] {
        assert!(
            row < self.rows
                && self.range.start <= range.start
                && range.start <= range.end
                && range.end <= self.range.end
        );
        // SAFETY: within the block, by the assertion and the construction in `columns`. The columns' lanes are
        // disjoint, and the borrow of `self` keeps this column's slices apart.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.base.add(row * self.lanes + range.start),
                range.len(),
            )
        }
    }
}
