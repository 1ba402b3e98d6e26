//! What a kernel declares about itself.
//!
//! | file | job |
//! |---|---|
//! | `kernel.rs` | the declaration: the macros `kernel!` and `uniform!`, and what they make |
//! | `bindings.rs` | the uniforms and buffers that a kernel binds |
//! | `twin_call.rs` | the arguments of its twin |
//! | `chain.rs` | twins of consecutive kernels that run as one |
//! | `grid.rs`, `shape.rs` | how many invocations a dispatch has, and how many of them are a workgroup |
//! | `loops.rs` | how long an invocation's loops are, and the pieces of a dispatch if they would be too long |

pub(super) mod bindings;
pub mod chain;
pub mod grid;
#[macro_use]
pub mod kernel;
pub mod loops;
pub(super) mod shape;
pub(super) mod twin_call;
