//! Attention's probabilities: products of queries and keys, and the softmax over the keys.

use std::ops::Range;

use pulp::Simd;

use super::columns::Column;
use super::exp::exp;
use super::heads::{Head, Query, Task, for_each_head, write_products};
use super::panels::{Block, Workspace, store};
use super::tiles::{key_loops, vector_pieces};
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, StepState, WorkgroupShape};

crate::kernel! {
    /// `probabilities[head, i, j] = softmax over j of scale * sum over d of q[head, d, i] * k[head, d, j]`, in every
    /// lane.
    ///
    /// Shapes: `qkv` `[3 * heads * dim][tokens][lanes]`, with the queries' features first, then the keys', then the
    /// values'; `probabilities` `[heads][tokens][tokens][lanes]`. Lanes from `step.count` on become zero, so that
    /// nothing in the padding spreads. Grid: [`Groups`](crate::engine::Grid::Groups) = heads * tokens / 4, rounded up
    /// for each head.
    pub Scores, ScoresParams, ScoresTwin = "layer/attention/scores", shader!("layer/attention/scores");
    params {
        /// Attention heads.
        heads: u32,
        /// Features of a head.
        dim: u32,
        /// Tokens: queries and keys.
        tokens: u32,
        /// `lanes / 4`.
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

    /// Runs it with vectors of the caller's choice.
    pub(super) fn run_with(self, dispatch: impl Fn(Task<'_, ScoresHead<'_>>) + Sync) {
        let p = self.params;
        let [heads, dim, tokens, lanes] =
            [p.heads, p.dim, p.tokens, p.vectors * 4].map(|n| n as usize);
        let rows = tokens * tokens;
        let head = |head| ScoresHead {
            q: Block::of(self.qkv, head, [dim, tokens, lanes]),
            k: Block::of(self.qkv, heads + head, [dim, tokens, lanes]),
            scale: p.scale,
            count: self.step.count as usize,
        };
        let output = &mut self.probabilities[..heads * rows * lanes];
        for_each_head(output, rows, lanes, head, dispatch);
    }
}

pub(super) struct ScoresHead<'a> {
    q: Block<'a>,
    k: Block<'a>,
    scale: f32,
    /// Number of lanes with samples.
    count: usize,
}

impl Head for ScoresHead<'_> {
    #[inline(always)]
    fn write<S: Simd, const QUERIES: usize>(
        self,
        simd: S,
        output: Column<'_>,
        workspace: &mut Workspace,
    ) {
        write_products::<S, QUERIES>(simd, self.q, self.k, &self, output, workspace);
    }
}

impl Query for ScoresHead<'_> {
    #[inline(always)]
    fn finish<S: Simd>(
        &self,
        simd: S,
        query: usize,
        products: &mut [S::f32s],
        _: &mut [S::f32s],
        range: Range<usize>,
        output: &mut Column<'_>,
    ) {
        let tokens = products.len();
        softmax(simd, products, self.scale);
        for (key, probability) in products.iter().enumerate() {
            let output = output.row(query * tokens + key, range.clone());
            store(simd, *probability, output);
            if range.end > self.count {
                output[self.count.max(range.start) - range.start..].fill(0.0);
            }
        }
    }
}

/// Softmax over the elements times `scale`, in each lane.
#[inline(always)]
fn softmax<S: Simd>(simd: S, row: &mut [S::f32s], scale: f32) {
    let scale = simd.splat_f32s(scale);
    let mut highest = simd.mul_f32s(row[0], scale);
    for z in row.iter_mut() {
        *z = simd.mul_f32s(*z, scale);
        // NaN is ignored here; its own exponential is still NaN.
        highest = simd.select_f32s(simd.greater_than_f32s(*z, highest), *z, highest);
    }
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
