//! The list of all kernel pairs that a training can use, for the tests and for tools that go through all of them.
//! Declaring one with [`kernel!`](crate::kernel!) puts it into the list, which `build.rs` writes.

use crate::engine::KernelInfo;

const KERNELS: &[&KernelInfo] = include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// All kernel pairs that a training can use. Together with `bench::kernels`, with which `rootlet bench` measures an
/// adapter, there is one for each file below `shaders/` except `shaders/lib/`.
pub fn kernels() -> Vec<&'static KernelInfo> {
    KERNELS.to_vec()
}
