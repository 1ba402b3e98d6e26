//! Weights that a run begins with instead of drawn ones: those of another training, or of a dense network that another
//! program trained.
//!
//! | file | job |
//! |---|---|
//! | `weights.rs` | such weights, and the initial state of a run that uses them |
//! | `read.rs` | those that a configuration names |
//! | `from_checkpoint.rs` | those of a checkpoint |
//! | `from_dense.rs` | those of a file of dense tensors |
//! | `widening.rs` | those of a narrower network in a wider one |
//! | `matching.rs` | which tensor of such a file belongs to which layer |

mod from_checkpoint;
mod from_dense;
mod matching;
mod read;
mod weights;
mod widening;

pub(super) use read::initial_weights;
pub(super) use weights::Initial;
