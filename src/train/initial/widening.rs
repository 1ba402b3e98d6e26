//! Weights of a network for one with wider layers, in which they keep their places and the answers stay the same.
//!
//! A new unit has the connections that were drawn for it. Those that lead from new units to old ones begin with weight
//! 0, so the old ones compute what they did; they get gradients at once, because the new units are active (Chen et al.,
//! "Net2Net", 2016, has a network begin like the narrower one, too).

use crate::layer::{Parameter, ParameterState};
use crate::model::Model;
use crate::sparse::LayerState;

/// Layers in which a further channel changes none of the others, nor where they are.
const IN_PLACE: [&str; 11] = [
    "input",
    "sparse",
    "batch-norm",
    "relu",
    "gelu",
    "dropout",
    "max-pool",
    "average-pool",
    "global-average",
    "flatten",
    "add",
];

/// The name of the first layer of a model that would see other values if layers before it became wider.
pub(super) fn obstacle(model: &Model) -> Option<&str> {
    let mut nodes = model.nodes().iter();
    let found = nodes.find(|node| !IN_PLACE.contains(&node.layer().kind()));
    found.map(|node| node.name())
}

/// Whether a layer of these sizes is a wider one than `own`.
pub(super) fn is_wider(own: &LayerState, n_in: usize, n_out: usize) -> bool {
    n_in >= own.n_in && n_out >= own.n_out && (n_in, n_out) != (own.n_in, own.n_out)
}

/// A layer in the place that it has in a wider one: the same connections.
pub(super) fn placed(own: LayerState, n_in: usize, n_out: usize) -> LayerState {
    let last = own.crow_indices.last().copied().unwrap_or(0);
    let mut wider = LayerState { n_in, n_out, ..own };
    wider.crow_indices.resize(n_out + 1, last);
    wider.bias.resize(n_out, 0.0);
    wider
}

/// The parameters of a layer of `kind` with longer arrays: what there is comes first. None if they do not fit.
pub(super) fn parameters(
    own: &ParameterState,
    kind: &'static str,
    declared: &[Parameter],
) -> Option<ParameterState> {
    let mut wider = ParameterState::new(kind, declared);
    if own.kind != kind || own.arrays.len() != wider.arrays.len() {
        return None;
    }
    for (to, from) in wider.arrays.iter_mut().zip(&own.arrays) {
        let same = to.name == from.name && to.trained == from.trained;
        let room = to.values.get_mut(..from.values.len()).filter(|_| same)?;
        room.copy_from_slice(&from.values);
    }
    Some(wider)
}
