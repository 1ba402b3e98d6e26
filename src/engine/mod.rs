//! The engine: adapters, buffers, kernels, plans, and the two executors that run a plan.
//!
//! A [`Plan`] is a list of dispatches, recorded once and replayed. A [`Kernel`] is one WGSL entry point and its CPU
//! twin over the same bindings. [`Device`] runs a plan on a wgpu adapter or on the built-in CPU executor; both allocate
//! through one byte [`Ledger`]; either executor can be left out of the build (features `gpu` and `cpu`). Nothing here
//! knows about layers, training or the command line.

pub mod adapter;
mod adapter_summary;
mod around;
mod bindings;
pub mod buffer;
pub mod chain;
mod check;
mod choices;
#[cfg(feature = "cpu")]
mod cpu;
#[cfg(not(feature = "cpu"))]
#[path = "no_cpu.rs"]
mod cpu;
mod device;
mod device_memory;
mod device_options;
mod fuse;
#[cfg(feature = "gpu")]
mod gpu;
#[cfg(not(feature = "gpu"))]
#[path = "no_gpu.rs"]
mod gpu;
pub mod grid;
pub(crate) mod host_memory;
#[macro_use]
pub mod kernel;
pub mod ledger;
pub mod lifetime;
pub mod loops;
mod loss;
mod pace;
#[cfg(feature = "gpu")]
mod packed;
mod pages;
mod phase;
pub mod plan;
mod precision;
pub mod random;
#[cfg(feature = "gpu")]
pub mod reflect;
mod run_checked;
mod running;
mod shader_compiler;
mod shape;
pub mod step_state;
mod timed_by;
#[cfg(feature = "cpu")]
mod together;
mod traffic;
pub mod tune;
mod twin_call;
#[cfg(feature = "gpu")]
pub mod wgsl;

pub use adapter::{AdapterChoice, check_choice};
pub use adapter_summary::AdapterSummary;
pub use buffer::{Buffer, View};
pub use check::KernelCheck;
pub use device::{Device, Program};
pub use device_options::DeviceOptions;
pub use grid::Grid;
pub use kernel::{Kernel, KernelInfo};
pub use ledger::{Class, Ledger};
#[doc(hidden)]
pub use pace::Pace;
pub use phase::{PhaseTime, touched_bytes};
pub use plan::{Dispatch, Plan};
pub use precision::Precision;
pub use running::DispatchTime;
pub use shader_compiler::ShaderCompiler;
pub use shape::{BARRIER_INVOCATIONS, ShapeFamily, WorkgroupShape};
pub use step_state::{STEP_WORDS, StepState};
pub use timed_by::TimedBy;
pub use traffic::Traffic;
