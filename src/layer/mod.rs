//! Layers: forward and backward, recorded into plans; one file per family.
//!
//! | file | layers |
//! |---|---|
//! | `definition.rs`, `extent.rs` | what a layer is: the trait that all of them implement; sizes |
//! | `operation.rs` | what a layer computes, for exporting networks |
//! | `pass.rs`, `parameter_state.rs`, `parameters.rs` | what a layer sees while it records; dense parameters, on the host and on the device |
//! | `sparse.rs`, `sparse_pass.rs`, `dense_pass.rs`, `bias_gradient.rs` | linear, token-wise and convolutional layers of sparse connections |
//! | `both_ways.rs` | such a layer by itself, from its list of connections and densely, to compare their times |
//! | `conv_pass.rs` | a convolution with the sums for the batch norms after and before it |
//! | `linear_gelu.rs`, `linear_gelu_backward.rs` | such a layer with the GELU after it, or before it |
//! | `norm/` | batch norm, layer norm |
//! | `activation.rs`, `normal.rs` | ReLU, GELU, and the normal distribution that it uses |
//! | `residual.rs`, `add.rs`, `shortcut.rs` | sums, and the shortcut without parameters |
//! | `pool/` | maximum, mean over windows, mean over all positions |
//! | `dropout.rs`, `flatten.rs` | dropout; one vector of all numbers |
//! | `attention/`, `patchify.rs`, `positions.rs` | self-attention; patches as tokens, and their positions |
//! | `samples.rs` | one instance of each, for verification and tests |
//! | `softmax_cross_entropy.rs`, `batch_metrics.rs`, `cross_entropy_metrics.rs` | kernels of the loss, of the results that are kept, and of both |
//!
//! Each has a description (`BatchNorm`), which implements [`Layer`], and its passes at one size (`BatchNormPass`),
//! which record kernels.
//!
//! A padding lane of an activation can hold any finite number; one of a gradient holds zero.

mod activation;
mod add;
pub mod attention;
mod batch_metrics;
mod bias_gradient;
mod both_ways;
mod conv_pass;
mod cross_entropy_metrics;
mod definition;
mod dense_pass;
mod dropout;
mod extent;
mod flatten;
mod linear_gelu;
mod linear_gelu_backward;
pub mod norm;
mod normal;
mod operation;
mod parameter_state;
mod parameters;
pub mod pass;
mod patchify;
mod pointwise;
pub(crate) mod pool;
mod positions;
mod residual;
mod samples;
mod shortcut;
mod softmax_cross_entropy;
mod sparse;
mod sparse_pass;

pub use activation::{
    Activation, Gelu, GeluBackward, GeluBackwardParams, GeluForward, GeluForwardParams, Relu,
    ReluBackward, ReluBackwardParams, ReluForward, ReluForwardParams,
};
pub use add::{AddForward, AddForwardParams, AddInto, AddIntoParams};
pub use attention::{Attention, AttentionPass};
pub use batch_metrics::{BatchMetrics, BatchMetricsParams};
pub use bias_gradient::{BiasGradient, BiasGradientParams};
pub use both_ways::{BothWays, LayerProduct};
pub use cross_entropy_metrics::{CrossEntropyMetrics, CrossEntropyMetricsParams};
pub use definition::{Connections, Layer, Linear};
pub use dense_pass::DenseWeights;
pub use dropout::{Dropout, DropoutApply, DropoutApplyParams, DropoutPass};
pub use extent::Extent;
pub use flatten::Flatten;
pub(crate) use flatten::Input;
pub use linear_gelu::{LinearGelu, LinearGeluParams};
pub use linear_gelu_backward::{LinearGeluBackward, LinearGeluBackwardParams};
pub use norm::{
    BatchNorm, BatchNormBackwardViews, BatchNormForwardViews, BatchNormPass, LayerNorm,
    LayerNormBackwardViews, LayerNormPass, NormScratch,
};
pub use operation::Operation;
pub use parameter_state::{Parameter, ParameterArray, ParameterState};
pub use parameters::{ArraySpan, LayerParameters, ParameterSpan, Parameters};
pub use patchify::{PatchTokens, PatchTokensParams, Patchify, PatchifyPass};
pub use pool::{
    AveragePool, AveragePoolBackward, AveragePoolBackwardParams, AveragePoolForward,
    AveragePoolForwardParams, AveragePoolPass, GlobalAverage, GlobalAverageBackward,
    GlobalAverageBackwardParams, GlobalAverageForward, GlobalAverageForwardParams,
    GlobalAveragePass, MaxPool, MaxPoolBackward, MaxPoolBackwardParams, MaxPoolForward,
    MaxPoolForwardParams, MaxPoolPass, Windows,
};
pub use positions::{
    AddPositions, AddPositionsInPlace, AddPositionsInPlaceParams, AddPositionsParams, Positions,
    PositionsPass, sincos_positions,
};
pub use residual::Add;
pub(crate) use samples::{sample_input, samples};
pub use shortcut::{
    Shortcut, ShortcutBackward, ShortcutBackwardParams, ShortcutForward, ShortcutForwardParams,
    ShortcutPass,
};
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyParams};
pub use sparse::Sparse;
pub use sparse_pass::SparsePass;
