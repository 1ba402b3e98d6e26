//! The best weights of a run by its validation part, which are kept beside the newest ones.

use serde::{Deserialize, Serialize};

use crate::choice::choice;

/// The best weights so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Number of steps done by then.
    pub step: u64,
    /// Number of epochs done by then.
    pub epoch: u32,
    /// What they are the best by: `loss`, `accuracy`, or a metric's name.
    pub metric: String,
    /// Its value on the validation part.
    pub value: f32,
}

choice! {
    /// Which of a run's checkpoints is used.
    pub enum Which {
        /// The last one that was saved
        Newest = "newest",
        /// The best one by the validation part
        Best = "best",
    }
}
