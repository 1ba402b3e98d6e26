//! A model on a device: everything resident, and the programs of a training step and of an evaluation step.
//!
//! | file or folder | job |
//! |---|---|
//! | `on_device.rs`, `state.rs` | the network: steps, rounds, evaluation; its state, read back and replaced |
//! | `options.rs` | what a network does besides its layers |
//! | `build.rs` | from a state to a network |
//! | `buffers.rs` | what stays from one program to the next |
//! | `batch_statistics.rs` | batch norms' statistics of a batch in parts |
//! | `ring.rs` | loss and score of the latest batches |
//! | `recording/` | from the model to its programs: what each layer records, and the plans it becomes |
//! | `dense.rs` | which layers' products are dense |
//! | `parts.rs` | how much of a batch fits the device at once |
//! | `feed.rs` | how images get into the input |
//! | `input_gradients.rs` | what the outputs of an evaluation depend on: the gradient at the input |
//! | `tiles.rs`, `gradient_tiles.rs` | gradients of a dense network that is not trained, a few rows at a time |
//! | `runner.rs` | running the programs over a batch, part by part |
//! | `turns.rs` | the same over a batch whose parts are dealt to ranks |
//! | `tune.rs` | measuring the variants of its kernels ahead of a training |
//! | `crossover.rs` | below which sparsity dense products are faster, by the sizes of its layers |
//! | `tie.rs` | where a sparse and a dense product take as long |
//! | `phase.rs` | the phases of the programs: what is timed by itself |

mod batch_statistics;
mod buffers;
mod build;
mod crossover;
mod dense;
mod feed;
mod gradient_tiles;
mod input_gradients;
mod on_device;
mod options;
mod parts;
pub mod phase;
mod recording;
mod ring;
mod runner;
mod state;
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
