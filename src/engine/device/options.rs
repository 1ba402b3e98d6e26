//! How a device is opened.

use super::pace::Pace;
use super::timed_by::TimedBy;
use crate::engine::WorkgroupShape;
use crate::engine::tuning::choices::Tune;

/// How to open a device.
#[derive(Clone, Debug, Default)]
pub struct DeviceOptions {
    /// Threads of the CPU executor; 0 takes every core.
    pub threads: usize,
    /// The number of this process among those on its machine that train together: of several equal adapters, `auto`
    /// opens one for each.
    pub local_rank: usize,
    /// Request exactly WebGPU's default limits and no optional feature, even if the adapter has more.
    pub default_limits: bool,
    /// Keep WebGPU's run-time checks (bounded loops, clamped indices, guarded divisions) in the crate's own kernels,
    /// too. Those are compared with their twins, and run without checks in the hardware shape. Kernels of other crates
    /// always have them.
    pub checked: bool,
    /// The kernels' workgroup shape; `None` chooses by the adapter. Another shape is slower but not wrong: tests run
    /// both.
    pub shape: Option<WorkgroupShape>,
    /// Measure the [variants](crate::engine::tune) of kernels on the adapter, and run the fastest. They give the same
    /// bits. Checked kernels run in their usual shape.
    pub tune: Tune,
    /// Whether variants are also chosen by times that other work on the machine disturbed.
    pub keep_doubtful: bool,
    /// For tests: the index of the variant in which kernels with variants run, instead of the measured one.
    #[doc(hidden)]
    pub variant: Option<usize>,
    /// For tests: a rewrite of a kernel's WGSL before the driver sees it.
    #[doc(hidden)]
    pub rewrite: Option<fn(kernel: &str, source: String) -> String>,
    /// For tests: how programs are split into submissions; `None` chooses by the adapter.
    #[doc(hidden)]
    pub pace: Option<Pace>,
    /// For tests: the finest clock to use; `None` takes the adapter's.
    #[doc(hidden)]
    pub timed_by: Option<TimedBy>,
}
