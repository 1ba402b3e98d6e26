//! The sparse layer: linear, token-wise or convolutional, with its bias and an optional ReLU fused into the product's
//! last store.

use super::bias_gradient::{BiasGradient, BiasGradientParams};
use super::linear_gelu::LinearGelu;
use super::linear_gelu_backward::LinearGeluBackward;
use crate::engine::{Grid, Plan, View};
use crate::error::{Error, Misfit, Result};
use crate::sparse::{
    Arena, Conv, ConvParams, ConvTransposed, ConvTransposedParams, LayerSpan, Normalised,
    PairGradients, Slices, Spmm, SpmmParams, SpmmTransposed, SpmmTransposedParams, Window,
};

/// One sparse layer of an arena, for a batch of `lanes`.
///
/// Its input is `[channels][input positions][lanes]`, its output `[n_out][output positions][lanes]`. A window that
/// reads each position alone (a linear layer, one applied to every token, a 1×1 convolution) treats the positions as
/// further samples of the batch.
#[derive(Clone, Copy, Debug)]
pub struct SparsePass {
    /// The place of its units in the arena.
    pub span: LayerSpan,
    /// How its output positions read its input positions.
    pub window: Window,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
    /// Whether its biases are trained; otherwise, the arena's are zero and stay so.
    pub bias: bool,
    /// Whether a ReLU follows.
    pub relu: bool,
}

impl SparsePass {
    /// Lanes of a pointwise layer's rows.
    pub(super) fn row(&self) -> usize {
        self.window.output_positions() * self.lanes
    }

    /// Refuses views shorter than the layer's input and output.
    pub(super) fn check(&self, input: &View, output: &View) -> Result<()> {
        let channels = self.window.channels(self.span.n_in)?;
        let sizes = [
            channels * self.window.input_positions() * self.lanes,
            self.span.n_out * self.row(),
        ];
        if self.lanes.is_multiple_of(4) && input.words() >= sizes[0] && output.words() >= sizes[1] {
            return Ok(());
        }
        Err(Error::Shape(Misfit::Layer {
            layer: format!(
                "a layer of {channels} channels to {} through {:?}",
                self.span.n_out, self.window
            ),
            why: format!(
                "with {} lanes (a multiple of 4) it needs {} and {} words at its ends, not {} of `{}` and {} of `{}`",
                self.lanes,
                sizes[0],
                sizes[1],
                input.words(),
                input.buffer.label(),
                output.words(),
                output.buffer.label()
            ),
        }))
    }

    /// `output = W input + bias`, through the ReLU if there is one.
    ///
    /// # Errors
    /// The views do not fit, or the window does not fit the layer.
    pub fn forward(&self, plan: &mut Plan, arena: &Arena, input: View, output: View) -> Result<()> {
        listed(arena)?;
        self.check(&input, &output)?;
        let row_offsets = arena.row_offsets.all();
        let cols = arena.cols.all();
        let weights = arena.product_weights();
        let bias = arena.bias.all();
        if self.window.is_pointwise() {
            let params = SpmmParams::of_layer(&self.span, self.row(), self.relu);
            plan.dispatch(
                Spmm {
                    params,
                    row_offsets,
                    cols,
                    weights,
                    bias,
                    input,
                    output,
                },
                params.grid(),
            )
        } else {
            let params = ConvParams::of_layer(&self.span, &self.window, self.lanes, self.relu)?;
            plan.dispatch(
                Conv {
                    params,
                    row_offsets,
                    cols,
                    weights,
                    bias,
                    input,
                    output,
                },
                params.grid(),
            )
        }
    }

    /// The gradient at the layer's input, from the gradient `delta` at its outputs (before the ReLU); `accumulate` adds
    /// to the existing values.
    ///
    /// With a `mask`, the activation that is the layer's input, `output` (including the existing values) goes back
    /// through the ReLU that made it: only for windows that read each position alone.
    ///
    /// # Errors
    /// The views do not fit, the window does not fit the layer, or it cannot take a mask.
    pub fn backward(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        delta: View,
        mask: Option<View>,
        output: View,
        accumulate: bool,
    ) -> Result<()> {
        listed(arena)?;
        self.check(&output, &delta)?;
        let col_offsets = arena.col_offsets.all();
        let cols = arena.cols.all();
        let order = arena.order.all();
        let order_rows = arena.order_rows.all();
        let weights = arena.product_weights();
        if self.window.is_pointwise() {
            let relu = mask.is_some();
            if let Some(mask) = &mask {
                self.check(mask, &delta)?;
            }
            let params = SpmmTransposedParams::of_layer(&self.span, self.row(), relu, accumulate);
            plan.dispatch(
                SpmmTransposed {
                    params,
                    col_offsets,
                    order,
                    order_rows,
                    weights,
                    // Not read without a mask.
                    activation: mask.unwrap_or_else(|| delta.clone()),
                    delta,
                    output,
                },
                params.grid(),
            )
        } else if mask.is_some() {
            Err(Error::Shape(Misfit::Layer {
                layer: format!("a convolution through {:?}", self.window),
                why: "its input gradient takes no mask: its ReLU goes back on its own".to_owned(),
            }))
        } else {
            let params =
                ConvTransposedParams::of_layer(&self.span, &self.window, self.lanes, accumulate)?;
            plan.dispatch(
                ConvTransposed {
                    params,
                    col_offsets,
                    cols,
                    order,
                    order_rows,
                    weights,
                    delta,
                    output,
                },
                params.grid(),
            )
        }
    }

    /// As [`forward`](Self::forward), for a layer that reads each position alone, and also writes the GELU of it to
    /// `activated`.
    ///
    /// # Errors
    /// As there.
    pub fn forward_gelu(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        input: View,
        output: View,
        activated: View,
    ) -> Result<()> {
        listed(arena)?;
        self.check(&input, &output)?;
        self.check(&input, &activated)?;
        let params = SpmmParams::of_layer(&self.span, self.row(), false);
        plan.dispatch(
            LinearGelu {
                params: params.into(),
                row_offsets: arena.row_offsets.all(),
                cols: arena.cols.all(),
                weights: arena.product_weights(),
                bias: arena.bias.all(),
                input,
                output,
                activated,
            },
            params.grid(),
        )
    }

    /// As [`backward`](Self::backward), for a layer that reads each position alone, and then through the GELU that made
    /// its input from `taken`.
    ///
    /// # Errors
    /// As there.
    pub fn backward_gelu(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        delta: View,
        taken: View,
        output: View,
    ) -> Result<()> {
        listed(arena)?;
        self.check(&output, &delta)?;
        self.check(&taken, &delta)?;
        let params = SpmmTransposedParams::of_layer(&self.span, self.row(), false, false);
        plan.dispatch(
            LinearGeluBackward {
                params: params.into(),
                col_offsets: arena.col_offsets.all(),
                order: arena.order.all(),
                order_rows: arena.order_rows.all(),
                weights: arena.product_weights(),
                delta,
                taken,
                output,
            },
            params.grid(),
        )
    }

    /// The gradients of the active connections, and of the biases if they are trained, from the layer's input and the
    /// gradient `delta` at its outputs (before the ReLU); `accumulate` adds to the existing values.
    ///
    /// # Errors
    /// The views do not fit, or the window does not fit the layer.
    pub fn gradients(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        input: View,
        delta: View,
        accumulate: bool,
    ) -> Result<()> {
        listed(arena)?;
        self.check(&input, &delta)?;
        self.pair_gradients(arena, input, delta.clone(), accumulate)
            .record(plan)?;
        self.bias_gradients(plan, arena, delta, accumulate)
    }

    /// As [`gradients`](Self::gradients), in one dispatch if there is a kernel for both. The gradients of the
    /// connections come in slices, if the arena's layer with this index has some.
    ///
    /// # Errors
    /// As there.
    pub fn gradients_fused(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        [input, delta]: [View; 2],
        slices: Option<(&Slices, usize)>,
        accumulate: bool,
    ) -> Result<()> {
        listed(arena)?;
        self.check(&input, &delta)?;
        let pairs = self.pair_gradients(arena, input, delta.clone(), accumulate);
        if self.bias && self.window.is_pointwise() {
            return pairs.record_with_bias(plan, arena.bias_gradient.all());
        }
        match slices {
            Some((slices, layer)) => pairs.record_in_slices(plan, None, slices, layer)?,
            None => pairs.record(plan)?,
        }
        self.bias_gradients(plan, arena, delta, accumulate)
    }

    /// As [`gradients_fused`](Self::gradients_fused), for a convolution whose input is the norm of another value.
    ///
    /// # Errors
    /// As there.
    pub fn gradients_normalised(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        (normalised, delta): (Normalised, View),
        slices: Option<(&Slices, usize)>,
        accumulate: bool,
    ) -> Result<()> {
        listed(arena)?;
        self.check(&normalised.input, &delta)?;
        let pairs = self.pair_gradients(arena, normalised.input.clone(), delta.clone(), accumulate);
        match slices {
            Some((slices, layer)) => {
                pairs.record_in_slices(plan, Some(normalised), slices, layer)?;
            }
            None => pairs.record_normalised(plan, normalised)?,
        }
        self.bias_gradients(plan, arena, delta, accumulate)
    }

    fn pair_gradients(
        &self,
        arena: &Arena,
        input: View,
        delta: View,
        accumulate: bool,
    ) -> PairGradients {
        PairGradients {
            span: self.span,
            window: self.window,
            lanes: self.lanes,
            row_offsets: arena.row_offsets.all(),
            cols: arena.cols.all(),
            input,
            delta,
            output: arena.gradient.all(),
            accumulate,
        }
    }

    /// The gradients of the biases, if they are trained.
    pub(super) fn bias_gradients(
        &self,
        plan: &mut Plan,
        arena: &Arena,
        delta: View,
        accumulate: bool,
    ) -> Result<()> {
        if self.bias {
            plan.dispatch(
                BiasGradient {
                    params: BiasGradientParams {
                        rows: self.span.n_out as u32,
                        vectors: (self.row() / 4) as u32,
                        first_row: self.span.first_row as u32,
                        accumulate: accumulate.into(),
                    },
                    delta,
                    gradient: arena.bias_gradient.all(),
                },
                Grid::Items(self.span.n_out),
            )?;
        }
        Ok(())
    }
}

/// Refuses an arena without lists of connections.
fn listed(arena: &Arena) -> Result<()> {
    match arena.holds.indices {
        true => Ok(()),
        false => Err(Error::Shape(Misfit::Layer {
            layer: "layers that are full".to_owned(),
            why:
                "their arena has no lists of connections: record their dense products, or make the network with \
                 dense_above above 1"
                    .to_owned(),
        })),
    }
}
