//! The optimisers and schedules of this crate, by the names that configurations have for them.

use crate::choice::choice;

choice! {
    /// An optimiser of this crate.
    pub enum OptimiserName {
        /// Gradient descent with momentum
        Sgd = super::Sgd::NAME,
        /// Steps by the first moment over the root of the second, each connection by its own age
        AdamW = super::AdamW::NAME,
    }
}

choice! {
    /// How the learning rate falls after the warm-up.
    pub enum RateName {
        /// By a factor at milestones
        Milestones = "milestones",
        /// Along half a cosine, to the end of the run
        Cosine = "cosine",
    }
}
