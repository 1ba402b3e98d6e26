//! The inputs and outputs of a batch norm's passes.

use crate::engine::View;

/// The inputs and outputs of a batch norm's forward pass.
#[derive(Clone)]
pub struct BatchNormForwardViews {
    /// `[channels][positions][lanes]`.
    pub input: View,
    /// What is added before the ReLU, shaped like the input.
    pub residual: Option<View>,
    /// Shaped like the input.
    pub output: View,
    /// `[2][channels]`: means and inverse standard deviations; if fused `[4][channels]`, followed by weights and
    /// biases. Written here, and read by the backward pass.
    pub saved: View,
}

/// The inputs and outputs of a batch norm's backward pass; all except `saved` are shaped like the input.
#[derive(Clone)]
pub struct BatchNormBackwardViews {
    /// The forward pass's input.
    pub input: View,
    /// The gradient at the output, after the ReLU.
    pub delta: View,
    /// The forward pass's output: needed if there is a ReLU and a residual was added. Without a residual the mask is
    /// computed from the input, which saves reading the output.
    pub activation: Option<View>,
    /// As the forward pass wrote it.
    pub saved: View,
    /// The gradient at the input; written.
    pub output: View,
    /// The gradient at the residual, and whether to add to it instead of writing it.
    pub residual: Option<(View, bool)>,
}
