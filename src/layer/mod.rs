//! Layers: forward beside backward, recorded into plans; one file a family.

mod activation;
mod batch_metrics;
mod bias_gradient;
mod dropout;
mod normal;
mod pointwise;
mod pool;
mod residual;
mod shortcut;
mod softmax_cross_entropy;
mod sparse_linear;

pub use activation::{
    Activation, Gelu, GeluBackward, GeluBackwardParams, GeluParams, Relu, ReluBackward,
    ReluBackwardParams, ReluParams,
};
pub use batch_metrics::{BatchMetrics, BatchMetricsParams};
pub use bias_gradient::{BiasGradient, BiasGradientParams};
pub use dropout::{Dropout, DropoutLayer, DropoutParams};
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
pub use sparse_linear::SparseLinear;

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
