//! A linear layer and the GELU that follows it, in one dispatch.

use super::normal::normal;
use super::pointwise::map;
use crate::engine::loops::Piece;
use crate::engine::{Grid, WorkgroupShape};
use crate::sparse::{GATHERS, SpmmParams, SpmmTwin, tiled_pieces};

crate::kernel! {
    /// [`struct@Spmm`](crate::sparse::Spmm) without a ReLU, and `activated`, the [GELU](super::GeluForward) of its
    /// output.
    ///
    /// Both are kept: the backward pass reads one, the next layer the other. Shapes as there, `activated` like
    /// `output`. Grid: [`SpmmParams::grid`].
    pub LinearGelu, LinearGeluParams, LinearGeluTwin = "layer/linear_gelu", shader!("layer/linear_gelu"),
        variants GATHERS, |params| params.vectors;
    params {
        /// Output units of the layer.
        rows: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// Input units of the layer: no row has more connections.
        cols: u32,
    }
    pieces LinearGeluParams::pieces;
    read row_offsets: u32,
    read cols: u32,
    read weights: f32,
    read bias: f32,
    read input: f32,
    write output: f32,
    write activated: f32,
}

impl From<SpmmParams> for LinearGeluParams {
    fn from(of: SpmmParams) -> Self {
        LinearGeluParams {
            rows: of.rows,
            vectors: of.vectors,
            first_row: of.first_row,
            first_col: of.first_col,
            cols: of.cols,
        }
    }
}

impl LinearGeluParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        tiled_pieces(self.vectors, self.cols, grid, shape)
    }
}

impl LinearGeluTwin<'_> {
    fn run(self) {
        let p = self.params;
        SpmmTwin {
            params: SpmmParams {
                rows: p.rows,
                vectors: p.vectors,
                first_row: p.first_row,
                first_col: p.first_col,
                relu: 0,
                cols: p.cols,
            },
            row_offsets: self.row_offsets,
            cols: self.cols,
            weights: self.weights,
            bias: self.bias,
            input: self.input,
            output: &mut *self.output,
        }
        .run();
        let words = p.rows as usize * p.vectors as usize * 4;
        map(
            &mut self.activated[..words],
            [self.output],
            false,
            #[inline(always)]
            |[x]| x * normal(x).0,
        );
    }
}
