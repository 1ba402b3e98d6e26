//! Every kernel pair of a training, for the tests and for tools that go through all of them. Declaring one by
//! [`kernel!`](crate::kernel!) puts it into the list: `build.rs` writes that.

use crate::engine::KernelInfo;

const KERNELS: &[&KernelInfo] = include!(concat!(env!("OUT_DIR"), "/kernels.rs"));

/// All kernel pairs that a training can use: with `bench::kernels`, by which `rootlet bench` measures an adapter, one
/// for each file below `shaders/`, `shaders/lib/` excepted.
pub fn kernels() -> Vec<&'static KernelInfo> {
    KERNELS.to_vec()
}
