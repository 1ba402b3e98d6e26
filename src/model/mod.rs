//! Models: lists of layers, nothing else.

mod mlp;

pub use mlp::mlp;

use crate::sparse::Shape;

/// One layer of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name in tables and messages.
    pub name: String,
    /// Its size.
    pub shape: Shape,
    /// Whether a ReLU follows.
    pub relu: bool,
}

/// The layers in order, first to last; the last one's outputs are the logits.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// At least one layer; each takes what the one before gives.
    pub layers: Vec<Layer>,
}

impl Model {
    /// The layers' sizes.
    pub fn shapes(&self) -> Vec<Shape> {
        self.layers.iter().map(|l| l.shape).collect()
    }
}
