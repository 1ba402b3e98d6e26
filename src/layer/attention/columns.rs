//! The lanes of a block of rows dealt out to threads, each a column of lanes of every row.

use std::marker::PhantomData;
use std::ops::Range;

/// Lanes of a column: one vector of AVX-512, one cache line, so that no two threads write to the same line.
pub(super) const COLUMN: usize = 16;

/// Some lanes of every row of a block `[rows][stride]`, to be written by one thread.
pub(super) struct Column<'a> {
    base: *mut f32,
    rows: usize,
    stride: usize,
    lanes: Range<usize>,
    block: PhantomData<&'a mut [f32]>,
}

#[expect(
    unsafe_code,
    reason = "disjoint lanes of one block for several threads"
)]
// SAFETY: a column is an exclusive borrow of its lanes, and no other column has them.
unsafe impl Send for Column<'_> {}

/// Splits a block `[rows][stride]` into columns of [`COLUMN`] lanes; the last may be narrower.
pub(super) fn columns(block: &mut [f32], stride: usize) -> impl Iterator<Item = Column<'_>> {
    let rows = block.len() / stride;
    let base = block.as_mut_ptr();
    (0..stride).step_by(COLUMN).map(move |first| Column {
        base,
        rows,
        stride,
        lanes: first..(first + COLUMN).min(stride),
        block: PhantomData,
    })
}

impl Column<'_> {
    /// Its lanes.
    pub(super) fn lanes(&self) -> Range<usize> {
        self.lanes.clone()
    }

    /// `lanes` of row `row`, which must be among the column's.
    #[inline(always)]
    #[expect(
        unsafe_code,
        reason = "disjoint lanes of one block for several threads"
    )]
    pub(super) fn row(&mut self, row: usize, lanes: Range<usize>) -> &mut [f32] {
        assert!(
            row < self.rows
                && self.lanes.start <= lanes.start
                && lanes.start <= lanes.end
                && lanes.end <= self.lanes.end
        );
        // SAFETY: within the block by the assertion and the construction in `columns`; the columns' lanes are disjoint, and
        // the borrow of `self` keeps this column's slices apart.
        unsafe {
            std::slice::from_raw_parts_mut(
                self.base.add(row * self.stride + lanes.start),
                lanes.len(),
            )
        }
    }
}
