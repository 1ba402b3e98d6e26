//! The gradients of a layer's biases.

use rayon::prelude::*;

use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, ShapeFamily};
use crate::threads::DealOut;

/// Invocations per workgroup.
const WORKGROUP: u32 = 64;
/// Number of invocations whose sums one of them adds up.
const GROUP: u32 = 8;

crate::kernel! {
    /// `gradient[first_row + b] = sum over i of delta[b, i]`, or adds to it.
    ///
    /// Shapes: `delta` `[rows][lanes]`, `gradient` all rows of the arena. Grid: [`Items`](crate::engine::Grid::Items) =
    /// rows; hardware gives each row a workgroup. Bound by reading `delta` once.
    pub BiasGradient, BiasGradientParams, BiasGradientTwin = "layer/bias_gradient", shader!("layer/bias_gradient");
    params {
        /// Output units of the layer.
        rows: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// 1: add to the existing values.
        accumulate: u32,
    }
    pieces |p, _, shape| {
        let rows = p.rows as usize;
        let (grid, invocations) = match shape.family {
            ShapeFamily::Hardware => (Grid::Groups(rows), WORKGROUP),
            ShapeFamily::Software => (Grid::Items(rows), 1),
        };
        let totals = looped(GROUP, NONE) + looped(WORKGROUP / GROUP, NONE);
        // The loop by fours makes fewer rounds, with a loop for the rest.
        Piece::dealt(grid, p.vectors, invocations, |turns| looped(1, NONE) + looped(turns, NONE) + totals)
    };
    read delta: f32,
    write gradient: f32,
}

impl BiasGradientTwin<'_> {
    fn run(self) {
        let lanes = self.params.vectors as usize * 4;
        let rows = self.params.rows as usize;
        let accumulate = self.params.accumulate != 0;
        self.gradient[self.params.first_row as usize..][..rows]
            .par_iter_mut()
            .zip(self.delta[..rows * lanes].par_chunks_exact(lanes))
            .with_min_len(256)
            .deal_out(|(gradient, delta)| {
                let (vectors, _) = delta.as_chunks::<4>();
                let mut sum = [0f32; 4];
                for v in vectors {
                    for i in 0..4 {
                        sum[i] += v[i];
                    }
                }
                let before = if accumulate { *gradient } else { 0.0 };
                *gradient = before + ((sum[0] + sum[1]) + (sum[2] + sum[3]));
            });
    }
}
