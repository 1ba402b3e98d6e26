//! Layers: forward beside backward, recorded into plans; one file a family.

mod batch_metrics;
mod bias_gradient;
mod softmax_cross_entropy;
mod sparse_layer;

pub use batch_metrics::{BatchMetrics, BatchMetricsParams};
pub use bias_gradient::{BiasGradient, BiasGradientParams};
pub use softmax_cross_entropy::{SoftmaxCrossEntropy, SoftmaxCrossEntropyParams};
pub use sparse_layer::SparseLayer;
