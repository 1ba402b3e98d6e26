//! Operands of the blocked product, in the order in which it reads them.

use std::ops::Range;

use pulp::Simd;

use super::patches::{Class, Patches, Segment};

/// The left-hand side: row `m`, unit `u`, tap `t` at `m * row + u * unit + t`.
#[derive(Clone, Copy)]
pub(crate) struct Left<'a> {
    pub values: &'a [f32],
    pub row: usize,
    pub unit: usize,
}

/// The right-hand side of one class of lanes.
pub(crate) enum Side<'a> {
    Patches {
        patches: &'a Patches<'a>,
        class: &'a Class,
        depth: usize,
    },
    Transposed {
        values: &'a [f32],
        lanes: usize,
        block: Range<usize>,
    },
}

impl Side<'_> {
    pub fn depth(&self) -> usize {
        match self {
            Side::Patches { depth, .. } => *depth,
            Side::Transposed { lanes, .. } => *lanes,
        }
    }

    /// Where a row of the left-hand side has its numbers for these rows of the right-hand side.
    pub fn offsets(&self, left: &Left<'_>, rows: Range<usize>, offsets: &mut Vec<usize>) {
        offsets.clear();
        match self {
            Side::Patches { class, .. } => {
                let taps = &class.taps;
                offsets
                    .extend(rows.map(|k| k / taps.len() * left.unit + taps[k % taps.len()].number));
            }
            Side::Transposed { .. } => offsets.extend(rows),
        }
    }

    #[inline(always)]
    pub fn pack<S: Simd>(
        &self,
        rows: Range<usize>,
        segments: &[Segment],
        width: usize,
        packed: &mut [f32],
    ) {
        match self {
            Side::Patches { patches, class, .. } => {
                patches.pack::<S>(class, rows, segments, width, packed);
            }
            Side::Transposed {
                values,
                lanes,
                block,
            } => pack_transposed(values, *lanes, rows, block.clone(), width, packed),
        }
    }
}

/// Rows of the left-hand side as `[k][R]`, zero past the last.
#[inline(always)]
pub(crate) fn pack_left<const R: usize>(
    left: &Left<'_>,
    rows: Range<usize>,
    offsets: &[usize],
    packed: &mut [f32],
) {
    let (packed, _) = packed.as_chunks_mut::<R>();
    let first = rows.start * left.row;
    if rows.len() < R {
        for (packed, offset) in packed.iter_mut().zip(offsets) {
            *packed = [0.0; R];
            for (i, packed) in packed[..rows.len()].iter_mut().enumerate() {
                *packed = left.values[first + i * left.row + offset];
            }
        }
    } else if left.row == 1 {
        for (packed, offset) in packed.iter_mut().zip(offsets) {
            packed.copy_from_slice(&left.values[first + offset..][..R]);
        }
    } else {
        let mut values = [left.values; R];
        for (i, values) in values.iter_mut().enumerate() {
            *values = &left.values[first + i * left.row..];
        }
        for (packed, &offset) in packed.iter_mut().zip(offsets) {
            for i in 0..R {
                packed[i] = values[i][offset];
            }
        }
    }
}

/// Columns `rows` of the lines `block` of `values`, as panels `[panel][row][width]`.
#[inline(always)]
fn pack_transposed(
    values: &[f32],
    lanes: usize,
    rows: Range<usize>,
    block: Range<usize>,
    width: usize,
    packed: &mut [f32],
) {
    let count = rows.len();
    for (panel, packed) in packed.chunks_exact_mut((width * count).max(1)).enumerate() {
        let first = block.start + panel * width;
        let held = width.min(block.end - first);
        for line in 0..held {
            let values = &values[(first + line) * lanes + rows.start..][..count];
            for (k, value) in values.iter().enumerate() {
                packed[k * width + line] = *value;
            }
        }
        for packed in packed.chunks_exact_mut(width) {
            packed[held..].fill(0.0);
        }
    }
}
