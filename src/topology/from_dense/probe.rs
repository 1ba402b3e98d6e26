//! What a method may ask of a dense network before the first step.

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
    /// Index of the first pair within the layer, in the order of (output, input).
    pub first: usize,
    /// One gradient for each pair from there on.
    pub gradients: &'a [f32],
}

impl GradientTile<'_> {
    /// Its pairs, as indices within the layer.
    pub fn pairs(&self) -> Range<usize> {
        self.first..self.first + self.gradients.len()
    }
}

/// The function that receives each tile.
pub type EachTile<'a> = dyn FnMut(GradientTile<'_>) + 'a;

/// A dense network on a device that answers questions before the first step.
pub trait Probe {
    /// Its layers with all their connections, as initialised.
    fn layers(&self) -> &[LayerState];

    /// Gradients of the loss on the probe's batch of training images, which is always the same, with `weights` in place
    /// of those of [`Probe::layers`]. They come tile by tile, each pair once, in no particular order, so that nobody
    /// has to hold them all.
    ///
    /// # Errors
    /// A lost device.
    fn gradients(&mut self, weights: &PerConnection, each: &mut EachTile<'_>) -> Result<()>;

    /// Gradients of the sum of the logits for an image of ones, also in tiles. The network is the linear one without
    /// norms, biases and activations, with the non-negative `weights`.
    ///
    /// # Errors
    /// The model has no such network, or the device is lost.
    fn flow(&mut self, weights: &PerConnection, each: &mut EachTile<'_>) -> Result<()>;
}
