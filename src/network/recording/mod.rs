//! From a model to plans: what is recorded for its passes, its updates and its evaluation.
//!
//! | file | job |
//! |---|---|
//! | `recorder.rs` | what plans are recorded with: where each node's value and gradient are |
//! | `node_pass.rs`, `forward.rs`, `backward.rs` | what a node's layer sees while it records |
//! | `convolutions.rs` | convolutions that take part in the norms beside them |
//! | `plans.rs` | the plans of a pass, an evaluation, an update |
//! | `checkpointing.rs` | where activations can be dropped and recomputed |
//! | `programs.rs` | the prepared plans, in memory that they share |

mod backward;
mod checkpointing;
mod convolutions;
mod forward;
mod node_pass;
mod plans;
pub(super) mod programs;
pub(super) mod recorder;
