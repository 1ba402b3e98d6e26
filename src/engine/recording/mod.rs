//! Recorded work: plans, the memory they share, and what they cost.
//!
//! | file | job |
//! |---|---|
//! | `plan.rs` | a plan: dispatches, recorded once and replayed |
//! | `lifetime.rs` | places transient buffers in as few bytes as their lifetimes allow |
//! | `phase.rs` | the named phases of a plan |
//! | `traffic.rs` | dispatches, barriers and bytes, counted |

pub mod lifetime;
pub(super) mod phase;
pub mod plan;
pub(super) mod traffic;
