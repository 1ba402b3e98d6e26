//! What a model has and costs: parameters, active connections, floating-point operations.

use super::node::{Model, Node};

/// One sparse layer.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct LayerCount {
    /// Its name.
    pub name: String,
    /// Input units: channels × taps.
    pub n_in: usize,
    /// Output units.
    pub n_out: usize,
    /// Number of output positions, which act as further samples of the batch.
    pub positions: usize,
    /// Active connections.
    pub active: u64,
    /// Floating-point operations of one image's forward pass: two per connection and position.
    pub forward_flops: f64,
}

/// A whole model, with some number of connections in each layer.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct ModelCount {
    /// The sparse layers in order.
    pub layers: Vec<LayerCount>,
    /// Connections of the dense model.
    pub dense: u64,
    /// Active connections.
    pub active: u64,
    /// Biases of the sparse layers.
    pub biases: u64,
    /// Dense parameters: scales and shifts of the norms.
    pub norms: u64,
    /// Floating-point operations of attention in one image's forward pass: products without connections.
    pub attention_flops: f64,
}

impl ModelCount {
    /// Counts `model` with `active` connections in each sparse layer.
    pub fn new(model: &Model, active: &[u64]) -> Self {
        let sparse = model.sparse();
        let layers: Vec<LayerCount> = sparse
            .iter()
            .zip(active)
            .map(|(layer, &active)| {
                let positions = layer.window.output_positions();
                LayerCount {
                    name: layer.name.clone(),
                    n_in: layer.shape.n_in,
                    n_out: layer.shape.n_out,
                    positions,
                    active,
                    forward_flops: 2.0 * active as f64 * positions as f64,
                }
            })
            .collect();
        let products = |node: &Node| node.layer.flops(&model.inputs_of(node));
        let trained = (model.parameters().into_iter())
            .flat_map(|(_, arrays)| arrays)
            .filter(|array| array.trained);
        ModelCount {
            dense: sparse.iter().map(|l| l.shape.dense()).sum(),
            active: layers.iter().map(|l| l.active).sum(),
            biases: (sparse.iter().filter(|l| l.bias))
                .map(|l| l.shape.n_out as u64)
                .sum(),
            norms: trained.map(|array| array.words as u64).sum(),
            attention_flops: model.nodes.iter().map(products).sum(),
            layers,
        }
    }

    /// Number of trained values: connections, biases, norms.
    pub fn parameters(&self) -> u64 {
        self.active + self.biases + self.norms
    }

    /// Number of trained values of the dense model.
    pub fn dense_parameters(&self) -> u64 {
        self.dense + self.biases + self.norms
    }

    /// Floating-point operations of one image's forward pass, counted like Evci et al. 2020: the layers' products.
    pub fn forward_flops(&self) -> f64 {
        self.layers.iter().map(|l| l.forward_flops).sum::<f64>() + self.attention_flops
    }

    /// Floating-point operations of training on one image: one forward pass, and a backward pass of twice the cost.
    pub fn step_flops(&self) -> f64 {
        3.0 * self.forward_flops()
    }

    /// Floating-point operations that a round adds per image of its batch: the gradients of `gamma` candidates per
    /// connection.
    pub fn round_flops(&self, gamma: f64) -> f64 {
        gamma * self.layers.iter().map(|l| l.forward_flops).sum::<f64>()
    }
}
