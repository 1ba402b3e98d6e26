//! The network that a method begins with, and what becomes of a dense one.

use super::probe::Probe;
use crate::error::Result;
use crate::sparse::LayerState;

/// The network that a method begins with.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// Drawn at random with the requested number of connections.
    Random,
    /// Chosen from a dense one before the first step.
    Chosen(&'a dyn Choice),
    /// Dense, and pruned between steps.
    Dense(&'a dyn Thinning),
    /// So many times the requested connections, of which forward passes use the requested ones; dense weights are kept
    /// beside it, from which it is chosen anew every T steps.
    Backed(f64),
}

impl Start<'_> {
    /// How many times the configured epochs are trained: more than once for methods that begin anew.
    pub fn stages(&self) -> u32 {
        match self {
            Start::Dense(thinning) => thinning.stages(),
            _ => 1,
        }
    }
}

/// Chooses the connections of a dense network that are trained.
pub trait Choice: Send + Sync {
    /// Chooses `requested` connections of a dense network before the first step.
    ///
    /// # Errors
    /// A model that the method cannot score, or a lost device.
    fn choose(&self, probe: &mut dyn Probe, requested: usize) -> Result<Vec<LayerState>>;
}

/// Prunes a dense network while it trains.
pub trait Thinning: Send + Sync {
    /// How many times the configured epochs are trained: more than once for methods that begin anew.
    fn stages(&self) -> u32 {
        1
    }

    /// What is to be pruned between two steps.
    fn prune(&self, _at: &Moment) -> Option<Prune> {
        None
    }
}

/// A moment of a run between two steps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moment {
    /// Optimiser steps done.
    pub step: u64,
    /// Steps of one of the run's [stages](Thinning::stages).
    pub stage_steps: u64,
    /// Steps between rounds: T.
    pub every: u64,
    /// Step at which rounds end: T_end.
    pub until: u64,
    /// Connections of the dense model.
    pub dense: u64,
    /// Connections requested in the end.
    pub requested: u64,
}

/// A pruning by magnitude that a moment calls for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prune {
    /// Connections left, as a share of the way from the requested number (0) to the dense one (1).
    pub rest: f64,
    /// Whether those that stay go back to what they were before the first step, and so do biases, norms and optimiser.
    pub rewind: bool,
}

impl Prune {
    /// Connections left of `dense`, of which `requested` are requested in the end.
    pub fn left(&self, dense: u64, requested: u64) -> u64 {
        let above = dense.saturating_sub(requested) as f64;
        requested + (above * self.rest).round() as u64
    }
}
