//! What the passes of a batch norm read and write.

use crate::engine::View;

/// What a batch norm's forward pass reads and writes.
#[derive(Clone)]
pub struct BatchNormForwardViews {
    /// `[channels][positions][lanes]`.
    pub input: View,
    /// What is added before the ReLU, shaped as the input.
    pub residual: Option<View>,
    /// Shaped as the input.
    pub output: View,
    /// `[2][channels]`: means, and inverse standard deviations; if fused `[4][channels]`, with weights and biases behind
    /// them. Written here, and read by the backward pass.
    pub saved: View,
}

/// What a batch norm's backward pass reads and writes; all but `saved` shaped as the input.
#[derive(Clone)]
pub struct BatchNormBackwardViews {
    /// The forward pass's input.
    pub input: View,
    /// The gradient at the output, behind the ReLU.
    pub delta: View,
    /// The forward pass's output: needed if there is a ReLU and a residual went into it. Without a residual the mask is
    /// computed from the input, and reading the output is saved.
    pub activation: Option<View>,
    /// As the forward pass wrote it.
    pub saved: View,
    /// The gradient at the input; written.
    pub output: View,
    /// The gradient at the residual, and whether to add to it instead of writing it.
    pub residual: Option<(View, bool)>,
}
