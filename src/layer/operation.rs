//! What a layer computes in an evaluation, in terms of operations that other programs have, too: by these a network is
//! exported.

use super::pool::Windows;

/// What a layer computes from its inputs in an evaluation. A value of a sample is `[channels][height][width]`.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Operation {
    /// The sample itself.
    Input,
    /// A value that equals its input.
    Identity,
    /// The products with its sparse connections at each position of its window, plus its biases if it has some.
    Connections {
        /// Whether a ReLU follows.
        relu: bool,
    },
    /// `(x - running_mean) / sqrt(running_variance + epsilon) * weight + bias` by channel, by its arrays of these
    /// names, plus a second input if there is one.
    BatchNorm {
        /// What is added to the variance.
        epsilon: f32,
        /// Whether a ReLU follows.
        relu: bool,
    },
    /// The same at each position, with mean and variance of its channels there.
    LayerNorm {
        /// What is added to the variance.
        epsilon: f32,
    },
    /// `max(x, 0)`.
    Relu,
    /// `x` times the normal distribution's function at x.
    Gelu,
    /// The sum of two inputs.
    Add,
    /// The largest value in each window.
    MaxPool(Windows),
    /// The mean of each window, where padding counts as zeros.
    AveragePool(Windows),
    /// The mean over all positions, by channel.
    Mean,
    /// All numbers in their order as one vector.
    Flatten,
    /// Square patches as positions: feature `(y * side + x) * channels + c` is channel `c` at row `y` and column `x` of
    /// the patch.
    Patches {
        /// Rows and columns of a patch.
        side: usize,
    },
    /// Adds fixed numbers, `[channels][height][width]`.
    Offsets(Vec<f32>),
    /// Self-attention between positions. Channels are queries, keys and values, each `[heads][dim]`; scores are divided
    /// by `sqrt(dim)`.
    Attention {
        /// Number of heads.
        heads: usize,
        /// Features of a head.
        dim: usize,
    },
    /// Every `stride`-th row and column, between channels of zeros.
    Shortcut {
        /// Channels of zeros before those of the input; those after them fill up the value.
        before: usize,
        /// The distance of rows and columns.
        stride: usize,
    },
}
