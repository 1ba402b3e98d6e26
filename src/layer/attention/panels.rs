//! The inner loops of attention's twins: products of small matrices whose elements are vectors of lanes.
//!
//! In `[feature][token][lanes]`, consecutive features of one token and lane lie kilobytes apart, in the same few sets
//! of the cache. So a task first copies its lanes of the operands into panels, with `P` rows or columns interleaved in
//! the order in which the product reads them (as in BLIS: Van Zee and van de Geijn 2015), and then keeps a tile of sums
//! in registers. The order of every sum is that of its index, whatever the width of vectors and tiles.

use std::ops::Range;

use pulp::Simd;

/// A matrix `[rows][cols]` of rows of lanes, `[rows][cols][lanes]`.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    pub data: &'a [f32],
    pub rows: usize,
    pub cols: usize,
    pub lanes: usize,
}

impl<'a> Block<'a> {
    /// Block `index` of `data`, an array of such blocks.
    pub(super) fn of(data: &'a [f32], index: usize, [rows, cols, lanes]: [usize; 3]) -> Self {
        let words = rows * cols * lanes;
        Block {
            data: &data[index * words..][..words],
            rows,
            cols,
            lanes,
        }
    }

    /// Its elements of one row, each a row of lanes.
    #[inline(always)]
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = &'a [f32]> + use<'a> {
        let words = self.cols * self.lanes;
        self.data[row * words..][..words].chunks_exact(self.lanes)
    }
}

/// A vector of these lanes, at most as many as it holds; the rest is zero.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, range: &[f32]) -> S::f32s {
    match S::as_simd_f32s(range) {
        ([vector], _) => *vector,
        _ => simd.partial_load_f32s(range),
    }
}

/// Stores the first lanes of a vector.
#[inline(always)]
pub(super) fn store<S: Simd>(simd: S, vector: S::f32s, output: &mut [f32]) {
    match S::as_mut_simd_f32s(output) {
        ([whole], _) => *whole = vector,
        (_, output) => simd.partial_store_f32s(output, vector),
    }
}

/// Work space of a thread, reused from task to task. Its elements are cache lines, so that vectors of any width are
/// aligned.
#[derive(Default)]
pub(super) struct Workspace(Vec<Line>);

#[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Floats of a line.
const LINE: usize = 16;

impl Workspace {
    /// Slices of `count` times this many vectors each, with arbitrary contents.
    #[inline(always)]
    pub(super) fn parts<S: Simd, const N: usize>(
        &mut self,
        count: usize,
        sizes: [usize; N],
    ) -> [&mut [S::f32s]; N] {
        let vectors = count * sizes.iter().sum::<usize>();
        let lines = (vectors * S::F32_LANES).div_ceil(LINE);
        if self.0.len() < lines {
            self.0.resize(lines, Line([0.0; LINE]));
        }
        let (mut rest, _) = S::as_mut_simd_f32s(bytemuck::cast_slice_mut(&mut self.0));
        sizes.map(|size| {
            let (part, others) = std::mem::take(&mut rest).split_at_mut(count * size);
            rest = others;
            part
        })
    }
}

/// Vectors of the panels of a side of length `length`, each step of the sum `P` wide.
pub(super) fn panel_vectors<const P: usize>(length: usize, terms: usize) -> usize {
    length.next_multiple_of(P) * terms
}

/// Copies a block into panels `[ceil(cols / P)][rows][P]`, one such set for each vector of `lanes`: the product sums
/// over the rows. All vectors are copied in one pass, which touches every page of the block once.
#[inline(always)]
pub(super) fn pack_columns<S: Simd, const P: usize>(
    simd: S,
    block: Block<'_>,
    range: Range<usize>,
    panels: &mut [S::f32s],
) {
    let set = panel_vectors::<P>(block.cols, block.rows);
    for row in 0..block.rows {
        for (col, element) in block.row(row).enumerate() {
            let at = (col / P * block.rows + row) * P + col % P;
            pack(simd, &element[range.clone()], &mut panels[at..], set);
        }
    }
}

/// Copies a block into panels `[ceil(rows / P)][cols][P]`, like [`pack_columns`]: the product sums over the columns.
#[inline(always)]
pub(super) fn pack_rows<S: Simd, const P: usize>(
    simd: S,
    block: Block<'_>,
    range: Range<usize>,
    panels: &mut [S::f32s],
) {
    let set = panel_vectors::<P>(block.rows, block.cols);
    for row in 0..block.rows {
        for (col, element) in block.row(row).enumerate() {
            let at = (row / P * block.cols + col) * P + row % P;
            pack(simd, &element[range.clone()], &mut panels[at..], set);
        }
    }
}

/// Copies the lanes of one element, a vector into each set.
#[inline(always)]
fn pack<S: Simd>(simd: S, range: &[f32], panels: &mut [S::f32s], set: usize) {
    match S::as_simd_f32s(range) {
        ([vector], []) => panels[0] = *vector,
        (vectors, rest) => {
            for (i, vector) in vectors.iter().enumerate() {
                panels[i * set] = *vector;
            }
            if !rest.is_empty() {
                panels[vectors.len() * set] = simd.partial_load_f32s(rest);
            }
        }
    }
}

/// The sums over one panel of each operand: `sums[i][j] = sum over k of a[k][i] * b[k][j]`.
#[inline(always)]
pub(super) fn tile<S: Simd, const A: usize, const B: usize>(
    simd: S,
    a: &[S::f32s],
    b: &[S::f32s],
) -> [[S::f32s; B]; A] {
    let mut sums = [[simd.splat_f32s(0.0); B]; A];
    for (a, b) in a.as_chunks::<A>().0.iter().zip(b.as_chunks::<B>().0) {
        for i in 0..A {
            for j in 0..B {
                sums[i][j] = simd.add_f32s(sums[i][j], simd.mul_f32s(a[i], b[j]));
            }
        }
    }
    sums
}
