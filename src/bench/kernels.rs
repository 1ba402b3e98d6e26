//! The list of the kernels that measure an adapter.

use crate::engine::KernelInfo;

const KERNELS: &[&KernelInfo] = include!(concat!(env!("OUT_DIR"), "/bench_kernels.rs"));

/// The kernels of this module.
pub fn kernels() -> Vec<&'static KernelInfo> {
    KERNELS.to_vec()
}
