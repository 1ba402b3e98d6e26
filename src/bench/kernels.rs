//! The list of the kernels.

use super::{Copy, Count, Exchange, Load, MultiplyAdd, SumMemory, SumSubgroups};
use crate::engine::{Kernel, KernelInfo};

/// The kernels of this module.
pub fn kernels() -> Vec<&'static KernelInfo> {
    vec![
        Copy::INFO,
        Count::INFO,
        Exchange::INFO,
        Load::INFO,
        MultiplyAdd::INFO,
        SumMemory::INFO,
        SumSubgroups::INFO,
    ]
}
