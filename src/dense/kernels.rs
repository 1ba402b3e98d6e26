//! The list of the kernels.

use super::{DenseForward, DenseGradient, DenseTransposed, Expand};
use crate::engine::{Kernel, KernelInfo};

/// The kernels of this module.
pub(crate) fn kernels() -> Vec<&'static KernelInfo> {
    vec![
        DenseForward::INFO,
        DenseTransposed::INFO,
        DenseGradient::INFO,
        Expand::INFO,
    ]
}
