//! The list of the kernels.

use super::{
    BatchNormApply, BatchNormBackward, BatchNormGradients, BatchNormMerge, BatchNormRunning,
    BatchNormStatistics, BatchNormSums, LayerNormBackward, LayerNormForward, LayerNormGradients,
};
use crate::engine::{Kernel, KernelInfo};

/// The kernel pairs of this module.
pub fn kernels() -> Vec<&'static KernelInfo> {
    vec![
        BatchNormStatistics::INFO,
        BatchNormMerge::INFO,
        BatchNormRunning::INFO,
        BatchNormApply::INFO,
        BatchNormSums::INFO,
        BatchNormGradients::INFO,
        BatchNormBackward::INFO,
        LayerNormForward::INFO,
        LayerNormBackward::INFO,
        LayerNormGradients::INFO,
    ]
}
