//! A layer's weights with zeros for the missing connections.

use rayon::prelude::*;

use crate::engine::Grid;
use crate::engine::loops::{NONE, SEARCH, looped};
use crate::sparse::LayerSpan;
use crate::threads::DealOut;

/// Columns of a row that one invocation writes.
const COLUMNS: usize = 64;

crate::kernel! {
    /// `output[b, a]` is the weight of connection (a, b) of one layer, or zero if there is no such connection.
    ///
    /// Shapes: `output` `[n_out][n_in]`. Grid: [`ExpandParams::grid`]. Each invocation finds where its columns begin
    /// among its row's connections and walks along both, so every word is written once. Bound by the stores.
    pub Expand, ExpandParams, ExpandTwin = "dense/expand", shader!("dense/expand");
    params {
        /// Output units of the layer.
        rows: u32,
        /// Input units of the layer.
        cols: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// Number of invocations that share a row.
        chunks: u32,
    }
    loops |_, _| looped(SEARCH, NONE) + looped(COLUMNS as u32, NONE);
    read row_offsets: u32,
    read cols: u32,
    read weights: f32,
    write output: f32,
}

impl ExpandParams {
    /// Parameters for one layer of an arena.
    pub fn of_layer(span: &LayerSpan) -> Self {
        ExpandParams {
            rows: span.n_out as u32,
            cols: span.n_in as u32,
            first_row: span.first_row as u32,
            first_col: span.first_col as u32,
            chunks: span.n_in.div_ceil(COLUMNS) as u32,
        }
    }

    /// The grid that the kernel needs.
    pub fn grid(&self) -> Grid {
        Grid::Items(self.rows as usize * self.chunks as usize)
    }
}

impl ExpandTwin<'_> {
    fn run(self) {
        let p = self.params;
        let [rows, cols] = [p.rows, p.cols].map(|n| n as usize);
        self.output[..rows * cols]
            .par_chunks_exact_mut(cols)
            .enumerate()
            .deal_out(|(row, output)| {
                let row = p.first_row as usize + row;
                let range = self.row_offsets[row] as usize..self.row_offsets[row + 1] as usize;
                output.fill(0.0);
                for (col, weight) in self.cols[range.clone()].iter().zip(&self.weights[range]) {
                    output[(col - p.first_col) as usize] = *weight;
                }
            });
    }
}
