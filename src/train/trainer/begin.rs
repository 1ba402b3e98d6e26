//! The initial state of a run whose method begins with a dense network, or keeps one beside it.

use crate::engine::Class;
use crate::error::Result;
use crate::model::Model;
use crate::network::NetworkState;
use crate::sparse::{LayerState, allocate};
use crate::topology::Method;
use crate::topology::from_dense::{Start, keep_largest_of_each};
use crate::train::TrainConfig;
use crate::train::initial::Initial;

/// The initial state, and notes about it: as the method begins, with drawn or given weights.
pub(super) fn state(
    model: &Model,
    config: &TrainConfig,
    method: &dyn Method,
    requested: &[u64],
    initial: Option<&Initial>,
) -> Result<(NetworkState, Vec<String>)> {
    let mut notes = initial.map_or(Vec::new(), |initial| initial.notes.clone());
    let state = match method.start() {
        Start::Dense(_) => dense(model, config, initial)?,
        Start::Backed(factor) => backed(model, config, requested, factor, initial)?,
        Start::Random | Start::Chosen(_) => {
            let drawn = NetworkState::initialise(model, requested, config.run.seed);
            match (initial, method.start()) {
                (Some(initial), Start::Random) => {
                    let (state, done) = initial.sparse(drawn)?;
                    notes.push(format!("began with other weights than drawn ones: {done}"));
                    state
                }
                // What is chosen comes later, from a dense network.
                _ => drawn,
            }
        }
    };
    Ok((state, notes))
}

/// The initial network: the largest weights of each layer of the dense one, `factor` times the requested number.
pub(super) fn backed(
    model: &Model,
    config: &TrainConfig,
    requested: &[u64],
    factor: f64,
    initial: Option<&Initial>,
) -> Result<NetworkState> {
    let state = dense(model, config, initial)?;
    let dense_weights = state
        .layers
        .iter()
        .map(|layer| layer.values.clone())
        .collect();
    let counts = requested
        .iter()
        .map(|&n| (n as f64 * factor).round() as usize);
    Ok(NetworkState {
        layers: keep_largest_of_each(&state.layers, counts)?,
        dense_weights,
        ..state
    })
}

/// The ledger's class of a network: that of a dense one as long as it has every connection.
pub(super) fn class_of(method: &dyn Method, state: &NetworkState, model: &Model) -> Class {
    let dense: u64 = model.shapes().iter().map(|s| s.dense()).sum();
    match matches!(method.start(), Start::Dense(_)) && total(&state.layers) == dense {
        true => Class::DenseWeights,
        false => Class::Connections,
    }
}

/// A dense network with its initial weights, drawn or given: what methods begin with, choose from, and rewind tickets
/// to.
pub(super) fn dense(
    model: &Model,
    config: &TrainConfig,
    initial: Option<&Initial>,
) -> Result<NetworkState> {
    let counts = allocate(&model.shapes(), 0.0, config.model.assignment)?;
    let drawn = NetworkState::initialise(model, &counts, config.run.seed);
    Ok(match initial {
        Some(initial) => initial.dense(drawn),
        None => drawn,
    })
}

/// Connections of all layers.
pub(super) fn total(layers: &[LayerState]) -> u64 {
    layers.iter().map(|l| l.active() as u64).sum()
}
