//! The products of attention's matrices `[token][token]` with features: its output, and the gradients of q, k and v.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::columns::{Column, columns};
use super::panels::{Block, Workspace, pack_columns, pack_rows, panel_vectors, store, tile};
use super::vector_pieces;
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, WorkgroupShape};

crate::kernel! {
    /// `output[head, d, t] = sum over u of matrix[head, t, u] * input[head, d, u]`, or of `matrix[head, u, t]`, in every lane.
    ///
    /// Shapes: `matrix` `[heads][tokens][tokens][stride]`; `input` and `output` `[features][tokens][stride]`, of which the
    /// features from `first_input` and `first_output` on are `[heads][dim]`. Grid: [`Rows`](crate::engine::Grid::Rows) =
    /// tiles of 4 tokens by 4 features, both rounded up in each head.
    pub Mix, MixParams, MixTwin = "layer/attention/mix", shader!("layer/attention/mix");
    params {
        /// Attention heads.
        heads: u32,
        /// Features of a head.
        dim: u32,
        /// Tokens.
        tokens: u32,
        /// `stride / 4`.
        vectors: u32,
        /// First feature of `input`.
        first_input: u32,
        /// First feature of `output`; the others stay as they are.
        first_output: u32,
        /// 1: by the matrix's transpose.
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
    fn run(self) {
        let arch = pulp::Arch::new();
        self.run_with(|task| arch.dispatch(task));
    }

    /// In vectors of the caller's choice.
    pub(super) fn run_with(self, dispatch: impl Fn(Task<'_>) + Sync) {
        let p = self.params;
        let [heads, dim, tokens, stride] =
            [p.heads, p.dim, p.tokens, p.vectors * 4].map(|n| n as usize);
        let features = |first: u32| {
            let first = first as usize * tokens * stride;
            first..first + heads * dim * tokens * stride
        };
        let input = &self.input[features(p.first_input)];
        let tasks: Vec<_> = self.output[features(p.first_output)]
            .chunks_exact_mut(dim * tokens * stride)
            .enumerate()
            .flat_map(|(head, block)| columns(block, stride).map(move |column| (head, column)))
            .collect();
        tasks
            .into_par_iter()
            .for_each_init(Workspace::default, |workspace, (head, column)| {
                dispatch(Task {
                    matrix: Block::of(self.matrix, head, [tokens, tokens, stride]),
                    input: Block::of(input, head, [dim, tokens, stride]),
                    transposed: p.transposed != 0,
                    output: column,
                    workspace,
                });
            });
    }
}

/// Features of a tile.
const FEATURES: usize = 4;

/// One head in one column of lanes.
pub(super) struct Task<'a> {
    matrix: Block<'a>,
    input: Block<'a>,
    transposed: bool,
    output: Column<'a>,
    workspace: &'a mut Workspace,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many tokens as the sums leave registers for.
        if S::REGISTER_COUNT >= 32 {
            self.column::<S, 4>(simd);
        } else {
            self.column::<S, 2>(simd);
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn column<S: Simd, const TOKENS: usize>(mut self, simd: S) {
        let (dim, tokens) = (self.input.rows, self.input.cols);
        let lanes = self.output.lanes();
        let matrix_set = panel_vectors::<TOKENS>(tokens, tokens);
        let input_set = panel_vectors::<FEATURES>(dim, tokens);
        let [matrix, input] = self
            .workspace
            .parts::<S, 2>(lanes.len().div_ceil(S::F32_LANES), [matrix_set, input_set]);
        if self.transposed {
            pack_columns::<S, TOKENS>(simd, self.matrix, lanes.clone(), matrix);
        } else {
            pack_rows::<S, TOKENS>(simd, self.matrix, lanes.clone(), matrix);
        }
        pack_rows::<S, FEATURES>(simd, self.input, lanes.clone(), input);
        let sets = matrix
            .chunks_exact(matrix_set)
            .zip(input.chunks_exact(input_set));
        for ((matrix, input), first) in sets.zip(lanes.clone().step_by(S::F32_LANES)) {
            let lanes = first..(first + S::F32_LANES).min(lanes.end);
            for (features, input) in input.chunks_exact(tokens * FEATURES).enumerate() {
                for (panel, matrix) in matrix.chunks_exact(tokens * TOKENS).enumerate() {
                    let sums = tile::<S, FEATURES, TOKENS>(simd, input, matrix);
                    let (feature, token) = (features * FEATURES, panel * TOKENS);
                    for (d, sums) in sums.iter().enumerate().take(dim - feature) {
                        for (t, sum) in sums.iter().enumerate().take(tokens - token) {
                            let to = (feature + d) * tokens + token + t;
                            store(simd, *sum, self.output.row(to, lanes.clone()));
                        }
                    }
                }
            }
        }
    }
}
