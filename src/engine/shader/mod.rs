//! The text of shaders, what naga finds in it, and what the host computes in the same way.
//!
//! | file | job |
//! |---|---|
//! | `wgsl.rs` | a kernel's text with the library's texts in place of its imports |
//! | `packed.rs` | the text for bindings of 16 bits |
//! | `reflect.rs` | what naga finds, compared with the kernel's declaration |
//! | `random.rs` | random numbers, host half of `shaders/lib/random.wgsl` |
//! | `step_state.rs` | what changes from step to step, host half of `shaders/lib/step.wgsl` |

#[cfg(feature = "gpu")]
pub(super) mod packed;
pub mod random;
#[cfg(feature = "gpu")]
pub mod reflect;
pub mod step_state;
#[cfg(feature = "gpu")]
pub mod wgsl;
