//! The sparse linear layer with bias, and the ReLU that follows it, fused into the products' last store.

use super::bias_gradient::{BiasGradient, BiasGradientParams};
use crate::engine::{Grid, Plan, View};
use crate::error::Result;
use crate::sparse::{
    Arena, LayerSpan, Sddmm, SddmmParams, Spmm, SpmmParams, SpmmTransposed, SpmmTransposedParams,
};

/// One sparse linear layer of an arena, for a batch of `stride` lanes.
#[derive(Clone, Copy, Debug)]
pub struct SparseLinear {
    /// Where its units lie in the arena.
    pub span: LayerSpan,
    /// Lanes of the batch, padding included: a multiple of 4.
    pub stride: usize,
    /// Whether a ReLU follows.
    pub relu: bool,
}

impl SparseLinear {
    fn vectors(&self) -> u32 {
        (self.stride / 4) as u32
    }

    /// `output = W input + bias`, through the ReLU if one follows. `input` `[n_in][stride]`, `output` `[n_out][stride]`.
    ///
    /// # Errors
    /// Views that do not fit.
    pub fn forward(&self, plan: &mut Plan, arena: &Arena, input: View, output: View) -> Result<()> {
        plan.dispatch(
            Spmm {
                params: SpmmParams {
                    rows: self.span.n_out as u32,
                    vectors: self.vectors(),
                    first_row: self.span.first_row as u32,
                    first_col: self.span.first_col as u32,
                    relu: u32::from(self.relu),
                },
                row_offsets: arena.row_offsets.all(),
                cols: arena.cols.all(),
                weights: arena.weights.all(),
                bias: arena.bias.all(),
                input,
                output,
            },
            Grid::Rows(self.span.n_out),
        )
    }

    /// The gradients of the active connections and of the biases, from the layer's input and the gradient `delta` at its
    /// outputs (before the ReLU).
    ///
    /// # Errors
    /// Views that do not fit.
    pub fn gradients(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        input: View,
        delta: View,
    ) -> Result<()> {
        let params = SddmmParams::new(&self.span, self.stride, false);
        plan.dispatch(
            Sddmm {
                params,
                row_offsets: arena.row_offsets.all(),
                cols: arena.cols.all(),
                input,
                delta: delta.clone(),
                output: arena.gradient.all(),
            },
            params.grid(),
        )?;
        plan.dispatch(
            BiasGradient {
                params: BiasGradientParams {
                    rows: self.span.n_out as u32,
                    vectors: self.vectors(),
                    first_row: self.span.first_row as u32,
                    accumulate: 0,
                },
                delta,
                gradient: arena.bias_gradient.all(),
            },
            Grid::Items(self.span.n_out),
        )
    }

    /// The gradient at the layer's input, back through the ReLU that made `input` if `input_relu`.
    ///
    /// # Errors
    /// Views that do not fit.
    pub fn backward(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        delta: View,
        input: View,
        input_relu: bool,
        output: View,
    ) -> Result<()> {
        plan.dispatch(
            SpmmTransposed {
                params: SpmmTransposedParams {
                    cols: self.span.n_in as u32,
                    vectors: self.vectors(),
                    first_row: self.span.first_row as u32,
                    first_col: self.span.first_col as u32,
                    relu: u32::from(input_relu),
                },
                col_offsets: arena.col_offsets.all(),
                order: arena.order.all(),
                order_rows: arena.order_rows.all(),
                weights: arena.weights.all(),
                delta,
                activation: input,
                output,
            },
            Grid::Rows(self.span.n_in),
        )
    }
}
