//! A run's best weights according to its validation part, which are kept beside the newest ones.

use serde::{Deserialize, Serialize};

use crate::choice::choice;

/// The best weights so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Number of steps done by then.
    pub step: u64,
    /// Number of epochs completed at that point.
    pub epoch: u32,
    /// The metric by which they are the best: `loss`, `accuracy`, or another metric's name.
    pub metric: String,
    /// Its value on the validation part.
    pub value: f32,
}

choice! {
    /// Which of a run's checkpoints to use.
    pub enum Which {
        /// The last one saved
        Newest = "newest",
        /// The best one according to the validation part
        Best = "best",
    }
}
