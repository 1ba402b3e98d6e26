//! The list of the kernels.

use super::{
    Gather, LowerBound, RadixSelectFlags, RadixSelectHistogram, RadixSelectPick, RadixSelectTies,
    RadixSortHistogram, RadixSortScatter, ScanApply, ScanReduce, ScanSums,
};
use crate::engine::{Kernel, KernelInfo};

/// Every kernel of this module.
pub fn kernels() -> Vec<&'static KernelInfo> {
    vec![
        ScanReduce::INFO,
        ScanSums::INFO,
        ScanApply::INFO,
        RadixSortHistogram::INFO,
        RadixSortScatter::INFO,
        RadixSelectHistogram::INFO,
        RadixSelectPick::INFO,
        RadixSelectTies::INFO,
        RadixSelectFlags::INFO,
        LowerBound::INFO,
        Gather::INFO,
    ]
}
