//! Layers: forward beside backward, recorded into plans; one file a family.

pub mod attention;
mod batch_metrics;
mod bias_gradient;
mod softmax_cross_entropy;
mod sparse_linear;
mod tokens;

pub use attention::Attention;
pub use batch_metrics::{BatchMetrics, BatchMetricsParams};
pub use bias_gradient::{BiasGradient, BiasGradientParams};
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyParams};
pub use sparse_linear::SparseLinear;
pub use tokens::{
    AddPositions, AddPositionsInPlace, AddPositionsInPlaceParams, AddPositionsParams, PatchTokens,
    PatchTokensParams, Patchify, Positions, sincos_positions,
};
