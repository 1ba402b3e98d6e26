//! What a method asks of a dense network before the first step.

use std::ops::Range;

use crate::error::Result;
use crate::sparse::LayerState;

/// A number for every connection: by layer, in the order of its connections.
pub type PerConnection = Vec<Vec<f32>>;

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

    /// Gradients of the loss on the probe's batch of training images, always the same one, with `weights` in place of
    /// those of [`Probe::layers`]. They come tile by tile, each pair once, in no order: nobody holds them all who need
    /// not.
    ///
    /// # Errors
    /// A lost device.
    fn gradients(&mut self, weights: &PerConnection, each: &mut EachTile<'_>) -> Result<()>;

    /// Gradients of the sum of the logits of the linear network that is left without norms, biases and activations,
    /// with `weights` that are not negative, for an image of ones; in tiles likewise.
    ///
    /// # Errors
    /// A model that has no such network, or a lost device.
    fn flow(&mut self, weights: &PerConnection, each: &mut EachTile<'_>) -> Result<()>;
}
