//! The frame of attention's twins: a task handles one head in one column of lanes.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::columns::{Column, columns};
use super::panels::{Block, Workspace, pack_columns, panel_vectors, tile};
use crate::threads::DealOut;

/// The computation of a twin for one head.
pub(super) trait Head {
    /// Writes a column of lanes, `TILE` tokens at a time.
    fn write<S: Simd, const TILE: usize>(
        self,
        simd: S,
        output: Column<'_>,
        workspace: &mut Workspace,
    );
}

/// One head in one column of lanes.
pub(super) struct Task<'a, H> {
    head: H,
    output: Column<'a>,
    workspace: &'a mut Workspace,
}

impl<H: Head> WithSimd for Task<'_, H> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many tokens as the sums leave registers for.
        if S::REGISTER_COUNT >= 32 {
            (self.head).write::<S, 4>(simd, self.output, self.workspace);
        } else {
            (self.head).write::<S, 2>(simd, self.output, self.workspace);
        }
    }
}

/// Writes `output`, which has `rows` rows of `lanes` for each head.
pub(super) fn for_each_head<H: Head>(
    output: &mut [f32],
    rows: usize,
    lanes: usize,
    head: impl Fn(usize) -> H + Sync,
    dispatch: impl Fn(Task<'_, H>) + Sync,
) {
    let tasks: Vec<_> = output
        .chunks_exact_mut(rows * lanes)
        .enumerate()
        .flat_map(|(number, block)| columns(block, lanes).map(move |column| (number, column)))
        .collect();
    tasks
        .into_par_iter()
        .deal_out_init(Workspace::default, |workspace, (number, output)| {
            dispatch(Task {
                head: head(number),
                output,
                workspace,
            });
        });
}

/// Keys of a tile.
const KEYS: usize = 4;

/// What is done with the products of a query with every key.
pub(super) trait Query {
    /// Writes the results of `products` to row `query` of the output, in the lanes of one vector; `spare` has as many
    /// vectors.
    fn finish<S: Simd>(
        &self,
        simd: S,
        query: usize,
        products: &mut [S::f32s],
        spare: &mut [S::f32s],
        range: Range<usize>,
        output: &mut Column<'_>,
    );
}

/// Products of the columns of `queries` with those of `keys`, both `[feature][token]`, several queries at a time.
#[inline(always)]
pub(super) fn write_products<S: Simd, const QUERIES: usize>(
    simd: S,
    queries: Block<'_>,
    keys: Block<'_>,
    query: &impl Query,
    mut output: Column<'_>,
    workspace: &mut Workspace,
) {
    let (dim, tokens) = (queries.rows, queries.cols);
    let range = output.range();
    let query_set = panel_vectors::<QUERIES>(tokens, dim);
    let key_set = panel_vectors::<KEYS>(tokens, dim);
    let padded = tokens.next_multiple_of(KEYS);
    let [query_panels, key_panels, products, spare] = workspace.parts::<S, 4>(
        range.len().div_ceil(S::F32_LANES),
        [query_set, key_set, QUERIES * padded, tokens],
    );
    pack_columns::<S, QUERIES>(simd, queries, range.clone(), query_panels);
    pack_columns::<S, KEYS>(simd, keys, range.clone(), key_panels);
    let spare = &mut spare[..tokens];
    let sets = query_panels
        .chunks_exact(query_set)
        .zip(key_panels.chunks_exact(key_set));
    for ((query_panels, key_panels), first) in sets.zip(range.clone().step_by(S::F32_LANES)) {
        let range = first..(first + S::F32_LANES).min(range.end);
        for (panel, q) in query_panels.chunks_exact(dim * QUERIES).enumerate() {
            for (keys, k) in key_panels.chunks_exact(dim * KEYS).enumerate() {
                let sums = tile::<S, QUERIES, KEYS>(simd, q, k);
                for (i, sums) in sums.iter().enumerate() {
                    // One at a time: a copy of the row would force the sums out of registers.
                    for (j, sum) in sums.iter().enumerate() {
                        products[i * padded + keys * KEYS + j] = *sum;
                    }
                }
            }
            let first = panel * QUERIES;
            for i in 0..QUERIES.min(tokens - first) {
                let products = &mut products[i * padded..][..tokens];
                let number = first + i;
                query.finish(simd, number, products, spare, range.clone(), &mut output);
            }
        }
    }
}
