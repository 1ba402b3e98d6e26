//! The engine: adapters, buffers, kernels, plans, and the two executors that run a plan.
//!
//! A [`Plan`] is a list of dispatches, recorded once and replayed. A [`Kernel`] is one WGSL entry point and its CPU
//! twin over the same bindings. [`Device`] runs a plan on a wgpu adapter or on the built-in CPU executor; both allocate
//! through one byte [`Ledger`]; either executor can be left out of the build (features `gpu` and `cpu`). Nothing here
//! knows about layers, training or the command line.
//!
//! | file or folder | job |
//! |---|---|
//! | `device/` | adapters and how to choose one; the device, its options, its memory, its loss |
//! | `memory/` | buffers, the ledger that counts their bytes, memory of the host |
//! | `declaration/` | what a kernel declares: bindings, parameters, loops, grid, workgroup shapes, its twin |
//! | `shader/` | the text of shaders, and reflection; random numbers and the step's state, as shaders see them |
//! | `recording/` | plans, their phases, the memory that they share, what they cost |
//! | `running/` | running a program: as a whole, timed, or compared with its twins |
//! | `tuning/` | the choice among a kernel's variants, by measurement |
//! | `cpu/` (`no_cpu.rs`), `gpu/` (`no_gpu.rs`) | the two executors |

#[cfg_attr(not(feature = "cpu"), path = "no_cpu.rs")]
mod cpu;
#[macro_use]
mod declaration;
mod device;
#[cfg_attr(not(feature = "gpu"), path = "no_gpu.rs")]
mod gpu;
mod memory;
mod recording;
mod running;
mod shader;
mod tuning;

pub use declaration::{chain, grid, kernel, loops};
pub use device::adapter;
pub(crate) use memory::host_memory;
pub use memory::{buffer, ledger};
pub use recording::{lifetime, plan};
pub use shader::{random, step_state};
#[cfg(feature = "gpu")]
pub use shader::{reflect, wgsl};
pub use tuning::tune;

pub use adapter::{AdapterChoice, check_choice};
pub use buffer::{Buffer, View};
pub use declaration::shape::{BARRIER_INVOCATIONS, ShapeFamily, WorkgroupShape};
pub use device::adapter_summary::AdapterSummary;
pub use device::definition::{Device, Program};
pub use device::options::DeviceOptions;
#[doc(hidden)]
pub use device::pace::Pace;
pub use device::shader_compiler::ShaderCompiler;
pub use device::timed_by::TimedBy;
pub use grid::Grid;
pub use kernel::{Kernel, KernelInfo};
pub use ledger::{Class, Ledger};
pub use memory::precision::Precision;
pub use plan::{Dispatch, Plan};
pub use recording::phase::{PhaseTime, touched_bytes};
pub use recording::traffic::Traffic;
pub use running::check::KernelCheck;
pub use running::run::DispatchTime;
pub use step_state::{STEP_WORDS, StepState};
