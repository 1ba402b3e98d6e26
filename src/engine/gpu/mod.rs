//! The wgpu executor.
//!
//! | file | job |
//! |---|---|
//! | `adapters.rs`, `instance.rs`, `dxc.rs` | what adapters there are, and through which of wgpu's backends and DX12's compilers |
//! | `executor.rs` | opens an adapter, allocates buffers |
//! | `program.rs`, `pipeline.rs` | a plan made ready: pipelines, bind groups |
//! | `submit.rs` | submits programs, one open compute pass a submission, and waits |
//! | `pace/` | how much is submitted together, so that no submission takes long |
//! | `transfer.rs`, `timing.rs` | uploads and read-backs; timestamps |
//! | `fault.rs`, `wait.rs` | what the driver reports out of band; where the engine waits |

mod adapters;
mod dxc;
mod executor;
mod fault;
mod instance;
mod pace;
mod pipeline;
mod program;
mod submit;
mod timing;
mod transfer;
mod trust;
mod wait;

pub(crate) use adapters::{Adapter, NONE_FOUND, enumerate};
pub(crate) use executor::GpuExecutor;
pub(crate) use program::GpuProgram;
pub(crate) use transfer::Copies;
pub(crate) use wgpu::Buffer;
