//! Every kernel pair of the crate, for the tests and for tools that go through all of them.

use crate::engine::{Kernel, KernelInfo};
use crate::sparse;

/// All kernel pairs: one for each file below `shaders/`, `shaders/lib/` excepted.
pub fn kernels() -> Vec<&'static KernelInfo> {
    vec![
        sparse::Spmm::INFO,
        sparse::SpmmTransposed::INFO,
        sparse::Sddmm::INFO,
    ]
}
