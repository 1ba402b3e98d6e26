//! Recording the backward pass of a convolution, with the batch norm before it.

use super::arena::{Arena, LayerSpan};
use super::conv_backward::{ConvBackward, ConvBackwardParams};
use super::conv_merge::Slices;
use super::conv_parts::runs_whole;
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::window::Window;

/// The batch norm whose output is a layer's input.
#[derive(Clone)]
pub struct NormBefore {
    /// The input of the norm, shaped like its output.
    pub input: View,
    /// `[4][channels]`: mean, inverse standard deviation, weight, bias.
    pub saved: View,
    /// Whether a ReLU follows it (and the residual, if there is one).
    pub relu: bool,
    /// Whether its output was dropped, and has to be computed from its input.
    pub dropped: bool,
    /// Whether this layer completes the gradient at its output, and takes it back through the ReLU.
    pub complete: bool,
    /// Where the sums go that its backward pass begins with; only for a complete gradient.
    pub sums: Option<View>,
}

/// The inputs and outputs of the backward pass, besides the arena.
pub struct ConvBackwardViews {
    /// The uniform that says which lanes hold samples.
    pub step: View,
    /// The layer's input; not read if it was dropped.
    pub input: View,
    /// The batch norm that made it, if any.
    pub norm: Option<NormBefore>,
    /// The gradient at the layer's output.
    pub delta: View,
    /// The gradient at its input.
    pub output: View,
    /// Whether to add to the existing values.
    pub add: bool,
    /// A few words of a separate buffer, bound if there are no sums.
    pub spare: View,
}

impl ConvBackward {
    /// Whether there is one dispatch for a layer: none of its loops is too long for one.
    ///
    /// # Errors
    /// As [`ConvBackwardParams::of_layer`].
    pub fn fits(
        span: &LayerSpan,
        window: &Window,
        lanes: usize,
        slices: Option<(&Slices, usize)>,
    ) -> Result<bool> {
        let params = ConvBackwardParams::of_layer(span, window, lanes)?;
        let sliced = slices.and_then(|(slices, layer)| slices.of(layer, params.product()));
        let params = match sliced {
            Some((product, _)) => params.with(product),
            None => params,
        };
        Ok(runs_whole(|shape| params.whole(shape).iterations))
    }

    /// Records the backward pass of the arena's layer with this span: the gradients of its connections go into the
    /// arena, or into the slices of its layer number `layer`.
    ///
    /// # Errors
    /// The views do not fit, or the layer has no such dispatch.
    pub fn record(
        plan: &mut Plan,
        arena: &Arena,
        (span, window, lanes): (&LayerSpan, &Window, usize),
        views: ConvBackwardViews,
        slices: Option<(&Slices, usize)>,
        accumulate: bool,
    ) -> Result<()> {
        let mut params = ConvBackwardParams::of_layer(span, window, lanes)?;
        let sliced = slices.and_then(|(slices, layer)| slices.of(layer, params.product()));
        let gradient = match sliced {
            Some((product, view)) => {
                params = params.with(product);
                view
            }
            None => {
                params.accumulate = accumulate.into();
                arena.gradient.all()
            }
        };
        params.add = views.add.into();
        let mut input = views.input;
        let (mut normed, mut saved, mut parts) =
            (input.clone(), arena.product_weights(), views.spare);
        if let Some(norm) = views.norm {
            params.relu = norm.relu.into();
            params.normal = norm.dropped.into();
            if norm.dropped {
                input = norm.input.clone();
            }
            if norm.complete && norm.relu {
                params.mask = if norm.dropped { 1 } else { 2 };
            }
            normed = if norm.sums.is_some() || norm.dropped {
                norm.input
            } else {
                input.clone()
            };
            if let Some(sums) = norm.sums {
                params.sums = 1;
                parts = sums;
            }
            saved = norm.saved;
        }
        let kernel = ConvBackward {
            params,
            step: views.step,
            row_offsets: arena.row_offsets.all(),
            col_offsets: arena.col_offsets.all(),
            cols: arena.cols.all(),
            order: arena.order.all(),
            order_rows: arena.order_rows.all(),
            weights: arena.product_weights(),
            input,
            normed,
            saved,
            delta: views.delta,
            gradient,
            output: views.output,
            parts,
        };
        plan.dispatch(kernel, params.grid())
    }
}
