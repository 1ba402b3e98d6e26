//! Back through a linear layer and the GELU before it, in one dispatch.

use rayon::prelude::*;

use super::normal::normal;
use super::pointwise::CHUNK;
use crate::engine::loops::Piece;
use crate::engine::{Grid, WorkgroupShape};
use crate::sparse::{GATHERS, SpmmTransposedParams, SpmmTransposedTwin, tiled_pieces};
use crate::threads::DealOut;

crate::kernel! {
    /// [`struct@SpmmTransposed`](crate::sparse::SpmmTransposed) times the derivative of the [GELU](super::GeluBackward)
    /// of `taken` that made the layer's input.
    ///
    /// Shapes as there, `taken` like `output`. Grid: [`SpmmTransposedParams::grid`].
    pub LinearGeluBackward, LinearGeluBackwardParams, LinearGeluBackwardTwin =
        "layer/linear_gelu_backward", shader!("layer/linear_gelu_backward"),
        variants GATHERS, |params| params.vectors;
    params {
        /// Input units of the layer.
        cols: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// Output units of the layer: no column has more connections.
        rows: u32,
    }
    pieces LinearGeluBackwardParams::pieces;
    read col_offsets: u32,
    read order: u32,
    read order_rows: u32,
    read weights: f32,
    read delta: f32,
    read taken: f32,
    write output: f32,
}

impl From<SpmmTransposedParams> for LinearGeluBackwardParams {
    fn from(of: SpmmTransposedParams) -> Self {
        LinearGeluBackwardParams {
            cols: of.cols,
            vectors: of.vectors,
            first_row: of.first_row,
            first_col: of.first_col,
            rows: of.rows,
        }
    }
}

impl LinearGeluBackwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        tiled_pieces(self.vectors, self.rows, grid, shape)
    }
}

impl LinearGeluBackwardTwin<'_> {
    fn run(self) {
        let p = self.params;
        SpmmTransposedTwin {
            params: SpmmTransposedParams {
                cols: p.cols,
                vectors: p.vectors,
                first_row: p.first_row,
                first_col: p.first_col,
                relu: 0,
                accumulate: 0,
                rows: p.rows,
            },
            col_offsets: self.col_offsets,
            order: self.order,
            order_rows: self.order_rows,
            weights: self.weights,
            delta: self.delta,
            activation: &[],
            output: &mut *self.output,
        }
        .run();
        let words = p.cols as usize * p.vectors as usize * 4;
        let arch = pulp::Arch::new();
        (self.output[..words].par_chunks_mut(CHUNK))
            .zip(self.taken.par_chunks(CHUNK))
            .deal_out(|(output, taken)| {
                arch.dispatch(
                    #[inline(always)]
                    || {
                        for (d, &x) in output.iter_mut().zip(taken) {
                            let (distribution, density) = normal(x);
                            *d *= distribution + x * density;
                        }
                    },
                );
            });
    }
}
