//! Layers whose products are dense: which they are, and where their weight matrices are.

use super::options::NetworkOptions;
use super::recording::recorder::Recorder;
use crate::dense::{Products, above, choose};
use crate::engine::{Device, Plan};
use crate::error::{Error, Misfit, Result};
use crate::layer::{DenseWeights, SparsePass};
use crate::sparse::LayerState;
use crate::topology::{Candidates, Method, Scope};

/// How the products of each layer are computed; dense ones only if no round changes how many connections a layer has.
pub(super) fn products(
    device: &Device,
    layers: &[LayerState],
    options: &NetworkOptions,
    method: &dyn Method,
) -> Vec<Products> {
    let counts_stay =
        options.scope == Scope::Layer || method.growth().candidates() == Candidates::None;
    match counts_stay {
        true => choose(layers, options.dense_above.unwrap_or_else(|| above(device))),
        false => vec![Products::Sparse; layers.len()],
    }
}

/// Whether nothing reads the connections as a list: every layer is full, and there are no rounds.
pub(super) fn all_full(products: &[Products], method: &dyn Method) -> bool {
    let full = |p: &Products| matches!(p, Products::Full { .. });
    method.growth().candidates() == Candidates::None && products.iter().all(full)
}

/// Refuses a state that the programs, recorded for layers with these products, would misread.
pub(super) fn check(recorded: &[Products], layers: &[LayerState]) -> Result<()> {
    let mut first = 0;
    for (l, (products, layer)) in recorded.iter().zip(layers).enumerate() {
        let full = layer.active() == layer.n_in * layer.n_out;
        let same = match products {
            Products::Full { first: recorded } => full && *recorded == first,
            Products::Sparse | Products::Expanded => true,
        };
        if !same {
            let found = format!(
                "{} of {} connections of layer {l}, from number {first} on,",
                layer.active(),
                layer.n_in * layer.n_out
            );
            let expected = "this network, which was made for all of them, in another place: make a new network of the \
                            state, or set dense_above above 1";
            return Err(Error::Shape(Misfit::Unfit {
                found,
                expected: expected.to_owned(),
            }));
        }
        first += layer.active();
    }
    Ok(())
}

impl Recorder<'_> {
    /// How a node's products are computed.
    pub fn products(&self, node: usize) -> Products {
        let layer = self.numbers[node].connections;
        let products = layer.and_then(|layer| self.buffers.products.get(layer));
        products.copied().unwrap_or(Products::Sparse)
    }

    /// The weight matrix of a node whose products are dense.
    pub fn dense_weights(
        &self,
        plan: &mut Plan,
        node: usize,
        layer: &SparsePass,
    ) -> Result<Option<DenseWeights>> {
        match self.products(node) {
            Products::Sparse => Ok(None),
            Products::Full { first } => Ok(Some(DenseWeights {
                weights: self.arena.product_weights(),
                first,
            })),
            Products::Expanded => {
                let room = self.scratch("expanded weights", layer.weight_words());
                layer.expand(plan, self.arena, room).map(Some)
            }
        }
    }
}
