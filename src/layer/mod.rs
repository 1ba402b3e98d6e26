//! Layers: forward beside backward, recorded into plans; one file a family.
//!
//! | file | layers |
//! |---|---|
//! | `sparse_layer.rs`, `bias_gradient.rs` | linear, token-wise and convolutional layers of sparse connections |
//! | `norm/` | batch norm, layer norm, and their parameters |
//! | `activation.rs`, `normal.rs` | ReLU, GELU, and the normal distribution behind it |
//! | `residual.rs`, `shortcut.rs` | sums, and the shortcut without parameters |
//! | `pool/` | maximum, mean over windows, mean over all positions |
//! | `dropout.rs` | dropout |
//! | `attention/`, `tokens.rs` | self-attention; patches as tokens, and their positions |
//! | `softmax_cross_entropy.rs`, `batch_metrics.rs` | the loss, and what is kept of it |
//!
//! A padding lane of an activation may hold any finite number, one of a gradient holds zero.

mod activation;
pub mod attention;
mod batch_metrics;
mod bias_gradient;
mod dense_layer;
mod dropout;
pub mod norm;
mod normal;
mod pointwise;
mod pool;
mod residual;
mod shortcut;
mod softmax_cross_entropy;
mod sparse_layer;
mod tokens;

pub use activation::{
    Activation, Gelu, GeluBackward, GeluBackwardParams, GeluParams, Relu, ReluBackward,
    ReluBackwardParams, ReluParams,
};
pub use attention::Attention;
pub use batch_metrics::{BatchMetrics, BatchMetricsParams};
pub use bias_gradient::{BiasGradient, BiasGradientParams};
pub use dense_layer::DenseWeights;
pub use dropout::{Dropout, DropoutLayer, DropoutParams};
pub use norm::{
    BatchNorm, BatchNormBackwardViews, BatchNormForwardViews, LayerNorm, LayerNormBackwardViews,
    NormKind, NormScratch, NormSpan, NormState, Norms,
};
pub use pool::{
    AveragePool, AveragePoolBackward, AveragePoolBackwardParams, AveragePoolForward,
    AveragePoolForwardParams, GlobalAverage, GlobalAverageBackward, GlobalAverageBackwardParams,
    GlobalAverageForward, GlobalAverageForwardParams, MaxPool, MaxPoolBackward,
    MaxPoolBackwardParams, MaxPoolForward, MaxPoolForwardParams,
};
pub use residual::{Add, AddInto, AddIntoParams, AddParams};
pub use shortcut::{
    PaddedShortcut, Shortcut, ShortcutBackward, ShortcutBackwardParams, ShortcutParams,
};
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyParams};
pub use sparse_layer::SparseLayer;
pub use tokens::{
    AddPositions, AddPositionsInPlace, AddPositionsInPlaceParams, AddPositionsParams, PatchTokens,
    PatchTokensParams, Patchify, Positions, sincos_positions,
};

use crate::engine::{Kernel, KernelInfo};

/// The kernels of the layers without parameters: activations, residual connections, pooling, dropout.
pub(crate) fn simple_kernels() -> Vec<&'static KernelInfo> {
    vec![
        Relu::INFO,
        ReluBackward::INFO,
        Gelu::INFO,
        GeluBackward::INFO,
        Add::INFO,
        AddInto::INFO,
        Shortcut::INFO,
        ShortcutBackward::INFO,
        MaxPoolForward::INFO,
        MaxPoolBackward::INFO,
        AveragePoolForward::INFO,
        AveragePoolBackward::INFO,
        GlobalAverageForward::INFO,
        GlobalAverageBackward::INFO,
        Dropout::INFO,
    ]
}
