//! The network that a method begins with, and how a dense one is pruned.

use super::probe::Probe;
use crate::error::Result;
use crate::sparse::LayerState;

/// The network that a method begins with.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// Random, with the requested number of connections.
    Random,
    /// Chosen from a dense one before the first step.
    Chosen(&'a dyn Choice),
    /// Dense, and pruned between steps.
    Dense(&'a dyn Thinning),
    /// With this many times the requested connections, of which forward passes use the requested number. Dense weights
    /// are kept beside it, from which it is chosen anew every T steps.
    Backed(f64),
}

impl Start<'_> {
    /// How often the configured epochs are trained: more than once for methods that start anew.
    pub fn stages(&self) -> u32 {
        match self {
            Start::Dense(thinning) => thinning.stages(),
            _ => 1,
        }
    }
}

/// Chooses the connections of a dense network that will be trained.
pub trait Choice: Send + Sync {
    /// Chooses `requested` connections of a dense network before the first step.
    ///
    /// # Errors
    /// The method cannot score the model, or the device is lost.
    fn choose(&self, probe: &mut dyn Probe, requested: usize) -> Result<Vec<LayerState>>;
}

/// Prunes a dense network while it trains.
pub trait Thinning: Send + Sync {
    /// How often the configured epochs are trained: more than once for methods that start anew.
    fn stages(&self) -> u32 {
        1
    }

    /// The pruning that is due between two steps, if any.
    fn prune(&self, _at: &Moment) -> Option<Prune> {
        None
    }
}

/// A moment of a run between two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Number of optimiser steps done.
    pub step: u64,
    /// Number of steps in one of the run's [stages](Thinning::stages).
    pub stage_steps: u64,
    /// Steps between rounds: T.
    pub every: u64,
    /// Step at which rounds end: T_end.
    pub until: u64,
    /// Connections of the dense model.
    pub dense: u64,
    /// Connections requested at the end.
    pub requested: u64,
}

/// A pruning by magnitude that is due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prune {
    /// The connections to keep, as a share of the way from the requested number (0) to the dense one (1).
    pub rest: f64,
    /// Whether the remaining connections are set back to their state before the first step, along with biases, norms
    /// and optimiser.
    pub rewind: bool,
}

impl Prune {
    /// Number of connections to keep of `dense`, if `requested` are requested at the end.
    pub fn left(&self, dense: u64, requested: u64) -> u64 {
        let above = dense.saturating_sub(requested) as f64;
        requested + (above * self.rest).round() as u64
    }
}
