//! Methods that begin with a dense network: scored and pruned before the first step, or pruned while it trains.
//!
//! They are what always-sparse methods are measured against, and by their nature hold dense weights for a while: the ledger
//! has those in a class of their own, [`Class::DenseWeights`](crate::engine::Class::DenseWeights). Their choices are made on
//! the host, once or a few times a run.

mod during;
mod saliency;
mod select;
mod topkast;

pub use during::{Gradual, Lottery};
pub use saliency::{GRASP_STEP, Grasp, SYNFLOW_ITERATIONS, Snip, SynFlow};
pub use select::{Best, keep_largest, keep_largest_of_each, magnitudes};
pub use topkast::{TOPKAST_BACKWARD, TopKast};

use std::ops::Range;

use crate::error::Result;
use crate::sparse::LayerState;

/// A number for every connection: by layer, in the order of its connections.
pub type PerConnection = Vec<Vec<f32>>;

/// The network that a method begins with.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// Drawn at random with the requested number of connections.
    Random,
    /// Chosen from a dense one before the first step.
    Chosen(&'a dyn Choice),
    /// Dense, and pruned between steps.
    Dense(&'a dyn Thinning),
    /// So many times the requested connections, of which forward passes use the requested ones; dense weights are kept beside it, from
    /// which it is chosen anew every T steps.
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

/// The gradients of some rows of a dense layer.
#[derive(Clone, Copy, Debug)]
pub struct GradientTile<'a> {
    /// The layer.
    pub layer: usize,
    /// Number of the first pair among the layer's, in the order of (output, input).
    pub first: usize,
    /// One for each pair from there on.
    pub gradients: &'a [f32],
}

impl GradientTile<'_> {
    /// Its pairs, as numbers among the layer's.
    pub fn pairs(&self) -> Range<usize> {
        self.first..self.first + self.gradients.len()
    }
}

/// What is done with each tile.
pub type EachTile<'a> = dyn FnMut(GradientTile<'_>) + 'a;

/// A dense network on a device, to be asked before the first step.
pub trait Probe {
    /// Its layers with all their connections, as drawn.
    fn layers(&self) -> &[LayerState];

    /// Gradients of the loss on the probe's batch of training images, always the same one, with `weights` in place of those of
    /// [`Probe::layers`]. They come tile by tile, each pair once, in no order: nobody holds them all who need not.
    ///
    /// # Errors
    /// A lost device.
    fn gradients(&mut self, weights: &PerConnection, each: &mut EachTile<'_>) -> Result<()>;

    /// Gradients of the sum of the logits of the linear network that is left without norms, biases and activations, with
    /// `weights` that are not negative, for an image of ones; in tiles likewise.
    ///
    /// # Errors
    /// A model that has no such network, or a lost device.
    fn flow(&mut self, weights: &PerConnection, each: &mut EachTile<'_>) -> Result<()>;
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
