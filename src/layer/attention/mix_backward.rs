//! The products of attention's backward pass in one dispatch.

use super::mix::{MixParams, MixTwin};
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, WorkgroupShape};

crate::kernel! {
    /// Three independent [`struct@Mix`](super::Mix): the gradient of the queries, `scores` times the keys; of the keys,
    /// `scores` transposed times the queries; of the values, `probabilities` transposed times `delta`.
    ///
    /// Shapes: `scores` (its gradient) and `probabilities` `[heads][tokens][tokens][lanes]`; `qkv` and `output`
    /// `[3 * heads * dim][tokens][lanes]`, `delta` `[heads * dim][tokens][lanes]`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = three times the tiles of 4 tokens by 4 features, both rounded up in each
    /// head.
    pub MixBackward, MixBackwardParams, MixBackwardTwin =
        "layer/attention/mix_backward", shader!("layer/attention/mix_backward");
    params {
        /// Attention heads.
        heads: u32,
        /// Features of a head.
        dim: u32,
        /// Tokens.
        tokens: u32,
        /// `lanes / 4`.
        vectors: u32,
    }
    pieces MixBackwardParams::pieces;
    read scores: f32,
    read probabilities: f32,
    read qkv: f32,
    read delta: f32,
    write output: f32,
}

impl MixBackwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        Piece::dealt(grid, self.vectors, shape.lanes(), |turns| {
            looped(turns, 2 * looped(self.tokens, NONE))
        })
    }
}

impl MixBackwardTwin<'_> {
    fn run(self) {
        let MixBackwardParams {
            heads,
            dim,
            tokens,
            vectors,
        } = self.params;
        let [queries, keys, values] = [0, 1, 2].map(|part| part * heads * dim);
        let products = [
            (self.scores, 0, self.qkv, keys, queries),
            (self.scores, 1, self.qkv, queries, keys),
            (self.probabilities, 1, self.delta, 0, values),
        ];
        for (matrix, transposed, input, first_input, first_output) in products {
            MixTwin {
                params: MixParams {
                    heads,
                    dim,
                    tokens,
                    vectors,
                    first_input,
                    first_output,
                    transposed,
                },
                matrix,
                input,
                output: &mut *self.output,
            }
            .run();
        }
    }
}
