//! Attention's probabilities: products of queries and keys, and the softmax over the keys.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::columns::{Column, columns};
use super::exp::exp;
use super::panels::{Block, Workspace, pack_columns, panel_vectors, store, tile};
use super::{key_loops, vector_pieces};
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, StepState, WorkgroupShape};

crate::kernel! {
    /// `probabilities[head, i, j] = softmax over j of scale * sum over d of q[head, d, i] * k[head, d, j]`, in every lane.
    ///
    /// Shapes: `qkv` `[3 * heads * dim][tokens][stride]`, the queries' features first, then the keys', then the values';
    /// `probabilities` `[heads][tokens][tokens][stride]`. Lanes from `step.count` on get zero, so that whatever padding holds
    /// goes no further. Grid: [`Groups`](crate::engine::Grid::Groups) = heads * tokens / 4, rounded up for each head.
    pub Scores, ScoresParams, ScoresTwin = "layer/attention/scores", shader!("layer/attention/scores");
    params {
        /// Attention heads.
        heads: u32,
        /// Features of a head.
        dim: u32,
        /// Tokens: queries and keys.
        tokens: u32,
        /// `stride / 4`.
        vectors: u32,
        /// Factor of the products: `dim^-0.5`.
        scale: f32,
    }
    pieces ScoresParams::pieces;
    uniform step: StepState,
    read qkv: f32,
    write probabilities: f32,
}

impl ScoresParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let inner = key_loops(self.tokens, looped(self.dim, NONE), 2, shape);
        vector_pieces(inner, self.vectors, grid, shape)
    }
}

impl ScoresTwin<'_> {
    fn run(self) {
        let arch = pulp::Arch::new();
        self.run_with(|task| arch.dispatch(task));
    }

    /// In vectors of the caller's choice.
    pub(super) fn run_with(self, dispatch: impl Fn(Task<'_>) + Sync) {
        let p = self.params;
        let [heads, dim, tokens, stride] =
            [p.heads, p.dim, p.tokens, p.vectors * 4].map(|n| n as usize);
        let words = tokens * tokens * stride;
        let tasks: Vec<_> = self.probabilities[..heads * words]
            .chunks_exact_mut(words)
            .enumerate()
            .flat_map(|(head, block)| columns(block, stride).map(move |column| (head, column)))
            .collect();
        tasks
            .into_par_iter()
            .for_each_init(Workspace::default, |workspace, (head, column)| {
                dispatch(Task {
                    q: Block::of(self.qkv, head, [dim, tokens, stride]),
                    k: Block::of(self.qkv, heads + head, [dim, tokens, stride]),
                    scale: p.scale,
                    count: self.step.count as usize,
                    probabilities: column,
                    workspace,
                });
            });
    }
}

/// Keys of a tile.
const KEYS: usize = 4;

/// One head in one column of lanes.
pub(super) struct Task<'a> {
    q: Block<'a>,
    k: Block<'a>,
    scale: f32,
    count: usize,
    probabilities: Column<'a>,
    workspace: &'a mut Workspace,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many queries as the sums leave registers for.
        if S::REGISTER_COUNT >= 32 {
            self.column::<S, 4>(simd);
        } else {
            self.column::<S, 2>(simd);
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn column<S: Simd, const QUERIES: usize>(mut self, simd: S) {
        let (dim, tokens) = (self.q.rows, self.q.cols);
        let lanes = self.probabilities.lanes();
        let q_set = panel_vectors::<QUERIES>(tokens, dim);
        let k_set = panel_vectors::<KEYS>(tokens, dim);
        let padded = tokens.next_multiple_of(KEYS);
        let [q, k, scores] = self.workspace.parts::<S, 3>(
            lanes.len().div_ceil(S::F32_LANES),
            [q_set, k_set, QUERIES * padded],
        );
        pack_columns::<S, QUERIES>(simd, self.q, lanes.clone(), q);
        pack_columns::<S, KEYS>(simd, self.k, lanes.clone(), k);
        let scale = simd.splat_f32s(self.scale);
        let sets = q.chunks_exact(q_set).zip(k.chunks_exact(k_set));
        for ((q, k), first) in sets.zip(lanes.clone().step_by(S::F32_LANES)) {
            let lanes = first..(first + S::F32_LANES).min(lanes.end);
            for (panel, q) in q.chunks_exact(dim * QUERIES).enumerate() {
                for (keys, k) in k.chunks_exact(dim * KEYS).enumerate() {
                    let sums = tile::<S, QUERIES, KEYS>(simd, q, k);
                    for (i, sums) in sums.iter().enumerate() {
                        for (j, sum) in sums.iter().enumerate() {
                            scores[i * padded + keys * KEYS + j] = simd.mul_f32s(*sum, scale);
                        }
                    }
                }
                let query = panel * QUERIES;
                for i in 0..QUERIES.min(tokens - query) {
                    let row = &mut scores[i * padded..][..tokens];
                    softmax(simd, row);
                    for (j, probability) in row.iter().enumerate() {
                        let to = (query + i) * tokens + j;
                        let output = self.probabilities.row(to, lanes.clone());
                        store(simd, *probability, output);
                        if lanes.end > self.count {
                            output[self.count.max(lanes.start) - lanes.start..].fill(0.0);
                        }
                    }
                }
            }
        }
    }
}

/// Softmax over the elements, in each lane.
#[inline(always)]
fn softmax<S: Simd>(simd: S, row: &mut [S::f32s]) {
    // A NaN is passed over here; its own exponential still is one.
    let highest = row.iter().fold(row[0], |highest, &z| {
        simd.select_f32s(simd.greater_than_f32s(z, highest), z, highest)
    });
    for z in row.iter_mut() {
        *z = simd.sub_f32s(*z, highest);
    }
    for z in bytemuck::cast_slice_mut::<S::f32s, f32>(row) {
        *z = exp(*z);
    }
    let mut total = simd.splat_f32s(0.0);
    for e in row.iter() {
        total = simd.add_f32s(total, *e);
    }
    let share = simd.div_f32s(simd.splat_f32s(1.0), total);
    for e in row {
        *e = simd.mul_f32s(*e, share);
    }
}
