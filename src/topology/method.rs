//! A method of sparse training: a name, a growth rule, and the network that it begins with.

use std::sync::Arc;

use super::cost::Cost;
use super::from_dense::Start;
use super::growth::{Growth, NoGrowth};

/// A method of sparse training.
pub trait Method: Send + Sync {
    /// Its name, as users type it.
    fn name(&self) -> &str;

    /// How its rounds grow connections; [no growth](NoGrowth) for a method without rounds.
    fn growth(&self) -> Arc<dyn Growth> {
        Arc::new(NoGrowth)
    }

    /// The network that it begins with: random for always-sparse methods.
    fn start(&self) -> Start<'_> {
        Start::Random
    }

    /// What its training computes besides steps and rounds, run as in its paper; for counting floating-point
    /// operations.
    fn cost(&self) -> Cost {
        Cost::SPARSE
    }
}
