//! The sparse layer as a dense one: the same products, from its full weight matrix.

use std::ops::Range;

use crate::dense::{
    DenseForward, DenseForwardParams, DenseGradient, DenseGradientParams, DenseTransposed,
    DenseTransposedParams, Expand, ExpandParams,
};
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::sparse::{Arena, LayerSpan};

use super::sparse_pass::SparsePass;

/// The place of a layer's weight matrix `[n_out][n_in]`.
#[derive(Clone)]
pub struct DenseWeights {
    /// The buffer.
    pub weights: View,
    /// Its first word there.
    pub first: usize,
}

impl SparsePass {
    /// Words of the weight matrix.
    pub fn weight_words(&self) -> usize {
        self.span.n_in * self.span.n_out
    }

    /// Writes the weight matrix to the beginning of `weights`, with zeros for missing connections.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn expand(&self, plan: &mut Plan, arena: &Arena, weights: View) -> Result<DenseWeights> {
        let params = ExpandParams::of_layer(&self.span);
        plan.dispatch(
            Expand {
                params,
                row_offsets: arena.row_offsets.all(),
                cols: arena.cols.all(),
                weights: arena.product_weights(),
                output: weights.clone(),
            },
            params.grid(),
        )?;
        Ok(DenseWeights { weights, first: 0 })
    }

    /// As [`SparsePass::forward`].
    ///
    /// # Errors
    /// As there.
    pub fn forward_dense(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        DenseWeights { weights, first }: DenseWeights,
        input: View,
        output: View,
    ) -> Result<()> {
        self.check(&input, &output)?;
        let (window, lanes) = (&self.window, self.lanes);
        let params = DenseForwardParams::of_layer(&self.span, window, lanes, first, self.relu)?;
        plan.dispatch(
            DenseForward {
                params,
                weights,
                bias: arena.bias.all(),
                input,
                output,
            },
            params.grid(),
        )
    }

    /// As [`SparsePass::backward`], but a mask is allowed with any window.
    ///
    /// # Errors
    /// As there.
    pub fn backward_dense(
        &self,
        plan: &mut Plan,
        DenseWeights { weights, first }: DenseWeights,
        delta: View,
        mask: Option<View>,
        output: View,
        accumulate: bool,
    ) -> Result<()> {
        self.check(&output, &delta)?;
        if let Some(mask) = &mask {
            self.check(mask, &delta)?;
        }
        let (window, lanes, relu) = (&self.window, self.lanes, mask.is_some());
        let params =
            DenseTransposedParams::of_layer(&self.span, window, lanes, first, relu, accumulate)?;
        plan.dispatch(
            DenseTransposed {
                params,
                weights,
                // Not read without a mask.
                activation: mask.unwrap_or_else(|| delta.clone()),
                delta,
                output,
            },
            params.grid(),
        )
    }

    /// As [`SparsePass::gradients`], for a layer that has all connections, starting with `first` in the arena.
    ///
    /// # Errors
    /// As there.
    pub fn gradients_dense(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        first: usize,
        [input, delta]: [View; 2],
        accumulate: bool,
    ) -> Result<()> {
        self.check(&input, &delta)?;
        let (window, lanes) = (&self.window, self.lanes);
        let params = DenseGradientParams::of_layer(&self.span, window, lanes, first, accumulate)?;
        plan.dispatch(
            DenseGradient {
                params,
                input,
                delta: delta.clone(),
                output: arena.gradient.all(),
            },
            params.grid(),
        )?;
        self.bias_gradients(plan, arena, delta, accumulate)
    }

    /// The gradients of some rows of the weights, over all pairs of each, from the layer's input and the gradient
    /// `delta` at its outputs; written to the beginning of `output`. The rows' part of `delta` must begin where a view
    /// may begin.
    ///
    /// # Errors
    /// As [`SparsePass::gradients`].
    pub fn gradient_rows(
        &self,
        plan: &mut Plan,
        rows: Range<usize>,
        [input, delta]: [View; 2],
        output: View,
    ) -> Result<()> {
        self.check(&input, &delta)?;
        let span = LayerSpan {
            n_out: rows.len(),
            ..self.span
        };
        let params = DenseGradientParams::of_layer(&span, &self.window, self.lanes, 0, false)?;
        let start = delta.range.start;
        let [first, end] = [rows.start, rows.end].map(|row| start + row * self.row());
        let delta = delta.buffer.range(first..end);
        let kernel = DenseGradient {
            params,
            input,
            delta,
            output,
        };
        plan.dispatch(kernel, params.grid())
    }
}
