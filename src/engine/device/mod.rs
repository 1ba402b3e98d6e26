//! Adapters, and devices: opened adapters, or the CPU executor.
//!
//! | file | job |
//! |---|---|
//! | `adapter.rs`, `adapter_summary.rs` | listing adapters and choosing one; what is known about one |
//! | `options.rs` | how a device is opened |
//! | `pace.rs`, `timed_by.rs`, `shader_compiler.rs` | kinds of submissions, of clocks, and of DX12's compilers |
//! | `definition.rs` | the device: one interface to both executors |
//! | `memory.rs` | its memory: allocating buffers, filling them, reading them back |
//! | `loss.rs`, `fuse.rs` | lost devices, also those that a test loses on purpose |

pub mod adapter;
pub(super) mod adapter_summary;
pub(super) mod definition;
mod fuse;
mod loss;
pub(super) mod memory;
pub(super) mod options;
pub(super) mod pace;
pub(super) mod shader_compiler;
pub(super) mod timed_by;
