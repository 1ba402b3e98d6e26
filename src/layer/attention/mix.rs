//! The products of attention's matrices `[token][token]` with features: its output, and the gradients of q, k and v.

use pulp::Simd;

use super::columns::Column;
use super::heads::{Head, Task, for_each_head};
use super::panels::{Block, Workspace, pack_columns, pack_rows, panel_vectors, store, tile};
use super::tiles::vector_pieces;
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, WorkgroupShape};

crate::kernel! {
    /// `output[head, d, t] = sum over u of matrix[head, t, u] * input[head, d, u]`, or of `matrix[head, u, t]`, in
    /// every lane.
    ///
    /// Shapes: `matrix` `[heads][tokens][tokens][lanes]`; `input` and `output` `[features][tokens][lanes]`, of which
    /// the features from `first_input` and `first_output` on are `[heads][dim]`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = tiles of 4 tokens by 4 features, both rounded up in each head.
    pub Mix, MixParams, MixTwin = "layer/attention/mix", shader!("layer/attention/mix");
    params {
        /// Attention heads.
        heads: u32,
        /// Features of a head.
        dim: u32,
        /// Tokens.
        tokens: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// First feature of `input`.
        first_input: u32,
        /// First feature of `output`; the others are left alone.
        first_output: u32,
        /// 1: use the transposed matrix.
        transposed: u32,
    }
    pieces MixParams::pieces;
    read matrix: f32,
    read input: f32,
    write output: f32,
}

impl MixParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        vector_pieces(looped(self.tokens, NONE), self.vectors, grid, shape)
    }
}

impl MixTwin<'_> {
    pub(super) fn run(self) {
        let arch = pulp::Arch::new();
        self.run_with(|task| arch.dispatch(task));
    }

    /// Runs it with vectors of the caller's choice.
    pub(super) fn run_with(self, dispatch: impl Fn(Task<'_, MixHead<'_>>) + Sync) {
        let p = self.params;
        let [heads, dim, tokens, lanes] =
            [p.heads, p.dim, p.tokens, p.vectors * 4].map(|n| n as usize);
        let features = |first: u32| {
            let first = first as usize * tokens * lanes;
            first..first + heads * dim * tokens * lanes
        };
        let input = &self.input[features(p.first_input)];
        let head = |head| MixHead {
            matrix: Block::of(self.matrix, head, [tokens, tokens, lanes]),
            input: Block::of(input, head, [dim, tokens, lanes]),
            transposed: p.transposed != 0,
        };
        let output = &mut self.output[features(p.first_output)];
        for_each_head(output, dim * tokens, lanes, head, dispatch);
    }
}

/// Features of a tile.
const FEATURES: usize = 4;

pub(super) struct MixHead<'a> {
    matrix: Block<'a>,
    input: Block<'a>,
    transposed: bool,
}

impl Head for MixHead<'_> {
    #[inline(always)]
    fn write<S: Simd, const TOKENS: usize>(
        self,
        simd: S,
        mut output: Column<'_>,
        workspace: &mut Workspace,
    ) {
        let (dim, tokens) = (self.input.rows, self.input.cols);
        let range = output.range();
        let matrix_set = panel_vectors::<TOKENS>(tokens, tokens);
        let input_set = panel_vectors::<FEATURES>(dim, tokens);
        let [matrix, input] =
            workspace.parts::<S, 2>(range.len().div_ceil(S::F32_LANES), [matrix_set, input_set]);
        if self.transposed {
            pack_columns::<S, TOKENS>(simd, self.matrix, range.clone(), matrix);
        } else {
            pack_rows::<S, TOKENS>(simd, self.matrix, range.clone(), matrix);
        }
        pack_rows::<S, FEATURES>(simd, self.input, range.clone(), input);
        let sets = matrix
            .chunks_exact(matrix_set)
            .zip(input.chunks_exact(input_set));
        for ((matrix, input), first) in sets.zip(range.clone().step_by(S::F32_LANES)) {
            let range = first..(first + S::F32_LANES).min(range.end);
            for (features, input) in input.chunks_exact(tokens * FEATURES).enumerate() {
                for (panel, matrix) in matrix.chunks_exact(tokens * TOKENS).enumerate() {
                    let sums = tile::<S, FEATURES, TOKENS>(simd, input, matrix);
                    let (feature, token) = (features * FEATURES, panel * TOKENS);
                    for (d, sums) in sums.iter().enumerate().take(dim - feature) {
                        for (t, sum) in sums.iter().enumerate().take(tokens - token) {
                            let to = (feature + d) * tokens + token + t;
                            store(simd, *sum, output.row(to, range.clone()));
                        }
                    }
                }
            }
        }
    }
}
