//! Every kernel pair of a training, for the tests and for tools that go through all of them.

use crate::engine::{Kernel, KernelInfo};
use crate::{data, dense, layer, loss, optim, sparse, topology};

/// All kernel pairs that a training can use: with `bench::kernels`, by which `rootlet bench`
/// measures an adapter, one for each file below `shaders/`, `shaders/lib/` excepted.
pub fn kernels() -> Vec<&'static KernelInfo> {
    let mut kernels = vec![
        data::Augment::INFO,
        sparse::Spmm::INFO,
        sparse::SpmmTransposed::INFO,
        sparse::Sddmm::INFO,
        sparse::ConvSddmm::INFO,
        sparse::Conv::INFO,
        sparse::ConvTransposed::INFO,
        layer::BiasGradient::INFO,
        layer::SoftmaxCrossEntropy::INFO,
        layer::BatchMetrics::INFO,
        loss::FoundClass::INFO,
        layer::PatchTokens::INFO,
        layer::AddPositions::INFO,
        layer::AddPositionsInPlace::INFO,
        optim::SgdStep::INFO,
        topology::ForwardWeights::INFO,
        topology::ExploreDecay::INFO,
    ];
    kernels.extend(dense::kernels());
    kernels.extend(layer::simple_kernels());
    kernels.extend(layer::norm::kernels());
    kernels.extend(layer::attention::kernels());
    kernels.extend(topology::kernels());
    kernels
}
