//! A model on a device: everything resident, and the programs of a training step and of an evaluation step.
//!
//! | file | job |
//! |---|---|
//! | `on_device.rs` | the network: steps, rounds, evaluation, its state |
//! | `options.rs` | what a network does besides its layers |
//! | `build.rs` | from a state to a network |
//! | `buffers.rs` | what stays from one program to the next |
//! | `batch_statistics.rs` | batch norms' statistics of a batch in parts |
//! | `ring.rs` | loss and score of the latest batches |
//! | `recorder.rs` | what plans are recorded with: where each node's value and gradient are |
//! | `node_pass.rs`, `forward.rs`, `backward.rs` | what a node's layer sees while it records |
//! | `plans.rs` | the plans of a pass, an evaluation, an update |
//! | `dense.rs` | which layers' products are dense |
//! | `checkpointing.rs` | where activations can be dropped and recomputed |
//! | `parts.rs` | how much of a batch fits the device at once |
//! | `programs.rs` | the prepared plans, in memory that they share |
//! | `feed.rs` | how images get into the input |
//! | `tiles.rs`, `gradient_tiles.rs` | gradients of a dense network that is not trained, a few rows at a time |
//! | `runner.rs` | running the programs over a batch, part by part |
//! | `turns.rs` | the same over a batch whose parts are dealt to ranks |
//! | `tune.rs` | measuring the variants of its kernels ahead of a training |
//! | `crossover.rs` | below which sparsity dense products are faster, by the sizes of its layers |
//! | `tie.rs` | where a sparse and a dense product take as long |
//! | `phase.rs` | the phases of the programs: what is timed by itself |

mod backward;
mod batch_statistics;
mod buffers;
mod build;
mod checkpointing;
mod convolutions;
mod crossover;
mod dense;
mod feed;
mod forward;
mod gradient_tiles;
mod node_pass;
mod on_device;
mod options;
mod parts;
pub mod phase;
mod plans;
mod programs;
mod recorder;
mod ring;
mod runner;
mod tie;
mod tiles;
mod tune;
mod turns;

pub use crossover::{LayerCrossover, crossovers, layer_classes};
pub use feed::{Feed, Part, Resident, ResidentBatch, Slots};
pub use on_device::Network;
pub use options::{Forward, NetworkOptions, NetworkState, Purpose};
pub use phase::StepTimes;
pub use ring::{BatchResult, RING};
pub use tie::Compared;
pub use tune::{StepTuned, step_class, tune, tune_step};
