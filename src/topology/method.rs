//! What a method of sparse training is: a name, a growth rule, and the network that it begins with.

use std::sync::Arc;

use super::cost::Cost;
use super::from_dense::Start;
use super::growth::{Growth, NoGrowth};

/// A method of sparse training.
pub trait Method: Send + Sync {
    /// Its name, as users write it.
    fn name(&self) -> &str;

    /// How its rounds grow connections: not at all, for a method without rounds.
    fn growth(&self) -> Arc<dyn Growth> {
        Arc::new(NoGrowth)
    }

    /// The network that it begins with: for always-sparse methods a random one.
    fn start(&self) -> Start<'_> {
        Start::Random
    }

    /// What its training computes besides steps and rounds, as its paper runs it: for the count of floating-point
    /// operations.
    fn cost(&self) -> Cost {
        Cost::SPARSE
    }
}
