//! How anything is measured, and when a figure is withheld.
//!
//! | file | job |
//! |---|---|
//! | `timing.rs` | warm-up, samples, their median |
//! | `ceiling.rs` | a ceiling that is measured beside what it bounds |
//! | `one_kernel.rs` | running a kernel by itself |
//! | `guard.rs` | what an adapter cannot hold, or would take too long for |
//! | `doubt.rs` | figures that cannot be trusted |

pub(super) mod ceiling;
pub(super) mod doubt;
pub(super) mod guard;
pub(super) mod one_kernel;
pub(super) mod timing;
