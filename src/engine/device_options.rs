//! How a device is opened.

use super::choices::Tune;
use super::pace::Pace;
use super::shape::WorkgroupShape;
use super::timed_by::TimedBy;

/// How to open a device.
#[derive(Clone, Debug, Default)]
pub struct DeviceOptions {
    /// Threads of the CPU executor; 0 takes every core.
    pub threads: usize,
    /// Request exactly WebGPU's default limits and no optional feature, though the adapter has more.
    pub default_limits: bool,
    /// Keep the run-time checks of WebGPU (bounded loops, clamped indices, guarded divisions) in the crate's own
    /// kernels, too, which are compared with their twins and run without in the hardware shape. Kernels of other crates
    /// always have them.
    pub checked: bool,
    /// The kernels' workgroup shape; `None` chooses by the adapter. Another shape is slower, not wrong: tests run both.
    pub shape: Option<WorkgroupShape>,
    /// Measure the [variants](super::tune) of kernels on the adapter, and run the fastest. They give the same bits.
    /// Where kernels are checked they run in their usual shape.
    pub tune: Tune,
    /// Whether variants are chosen by times, too, that other work on the machine disturbed.
    pub keep_doubtful: bool,
    /// For tests: the number of the variant that kernels with any run in, in place of what was measured.
    #[doc(hidden)]
    pub variant: Option<usize>,
    /// For tests: what becomes of a kernel's WGSL before the driver sees it.
    #[doc(hidden)]
    pub rewrite: Option<fn(kernel: &str, source: String) -> String>,
    /// For tests: how programs are cut into submissions; `None` chooses by the adapter.
    #[doc(hidden)]
    pub pace: Option<Pace>,
    /// For tests: the finest clock that is used; `None` takes the adapter's.
    #[doc(hidden)]
    pub timed_by: Option<TimedBy>,
}
