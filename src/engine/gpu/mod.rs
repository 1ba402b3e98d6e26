//! The wgpu executor.
//!
//! | file | job |
//! |---|---|
//! | `adapters.rs`, `instance.rs`, `dxc.rs` | finding adapters; wgpu's backends, and DX12's compilers |
//! | `executor.rs` | opening an adapter, allocating buffers |
//! | `program.rs`, `pipeline.rs` | preparing a plan: pipelines, bind groups |
//! | `submit.rs` | submitting programs, with one open compute pass per submission, and waiting |
//! | `pace/` | how much is submitted together, so that no submission takes long |
//! | `transfer.rs`, `timing.rs` | uploads and read-backs; timestamps |
//! | `fault.rs`, `wait.rs` | what the driver reports out of band; waiting for the device |

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
