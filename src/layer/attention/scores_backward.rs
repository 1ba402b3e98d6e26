//! Back through attention's softmax: the gradient at the scores.

use std::ops::Range;

use pulp::Simd;

use super::columns::Column;
use super::heads::{Head, Query, Task, for_each_head, write_products};
use super::panels::{Block, Workspace, load, store};
use super::tiles::{key_loops, vector_pieces};
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, WorkgroupShape};

crate::kernel! {
    /// The gradient of the loss at the products of queries and keys (before `scale`), from that at attention's output.
    ///
    /// With `dP[i, j] = sum over d of delta[d, i] * v[d, j]` and the probabilities `P`, it is
    /// `scale * P[i, j] * (dP[i, j] - sum over m of P[i, m] * dP[i, m])`, in every head and lane. Shapes: `qkv`
    /// `[3 * heads * dim][tokens][lanes]`, `delta` `[heads * dim][tokens][lanes]`, `probabilities` and `output`
    /// `[heads][tokens][tokens][lanes]`. Grid: as [`struct@super::Scores`].
    pub ScoresBackward, ScoresBackwardParams, ScoresBackwardTwin =
        "layer/attention/scores_backward", shader!("layer/attention/scores_backward");
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
    pieces ScoresBackwardParams::pieces;
    read qkv: f32,
    read delta: f32,
    read probabilities: f32,
    write output: f32,
}

impl ScoresBackwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let inner = key_loops(self.tokens, looped(self.dim, NONE), 2, shape);
        vector_pieces(inner, self.vectors, grid, shape)
    }
}

impl ScoresBackwardTwin<'_> {
    fn run(self) {
        let arch = pulp::Arch::new();
        self.run_with(|task| arch.dispatch(task));
    }

    /// Runs it with vectors of the caller's choice.
    pub(super) fn run_with(self, dispatch: impl Fn(Task<'_, GradientHead<'_>>) + Sync) {
        let p = self.params;
        let [heads, dim, tokens, lanes] =
            [p.heads, p.dim, p.tokens, p.vectors * 4].map(|n| n as usize);
        let rows = tokens * tokens;
        let head = |head| GradientHead {
            delta: Block::of(self.delta, head, [dim, tokens, lanes]),
            v: Block::of(self.qkv, 2 * heads + head, [dim, tokens, lanes]),
            probabilities: Block::of(self.probabilities, head, [tokens, tokens, lanes]),
            scale: p.scale,
        };
        let output = &mut self.output[..heads * rows * lanes];
        for_each_head(output, rows, lanes, head, dispatch);
    }
}

pub(super) struct GradientHead<'a> {
    delta: Block<'a>,
    v: Block<'a>,
    probabilities: Block<'a>,
    scale: f32,
}

impl Head for GradientHead<'_> {
    #[inline(always)]
    fn write<S: Simd, const QUERIES: usize>(
        self,
        simd: S,
        output: Column<'_>,
        workspace: &mut Workspace,
    ) {
        write_products::<S, QUERIES>(simd, self.delta, self.v, &self, output, workspace);
    }
}

impl Query for GradientHead<'_> {
    #[inline(always)]
    fn finish<S: Simd>(
        &self,
        simd: S,
        query: usize,
        products: &mut [S::f32s],
        probabilities: &mut [S::f32s],
        range: Range<usize>,
        output: &mut Column<'_>,
    ) {
        let tokens = products.len();
        // Read only once: elements this far apart fall into the same few sets of the cache.
        let elements = self.probabilities.row(query);
        for (probability, element) in probabilities.iter_mut().zip(elements) {
            *probability = load(simd, &element[range.clone()]);
        }
        let mut mean = simd.splat_f32s(0.0);
        for (probability, product) in probabilities.iter().zip(&*products) {
            mean = simd.add_f32s(mean, simd.mul_f32s(*probability, *product));
        }
        let scale = simd.splat_f32s(self.scale);
        for (key, (probability, product)) in probabilities.iter().zip(&*products).enumerate() {
            let centred = simd.sub_f32s(*product, mean);
            let gradient = simd.mul_f32s(simd.mul_f32s(*probability, centred), scale);
            store(
                simd,
                gradient,
                output.row(query * tokens + key, range.clone()),
            );
        }
    }
}
