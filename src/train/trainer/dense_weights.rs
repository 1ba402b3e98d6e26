//! What the trainer does for a method that keeps dense weights beside its network (Top-KAST): every T steps the network's weights
//! are laid back among them, and the network becomes the largest of all.

use super::{Trainer, dense};
use crate::clock::Instant;
use crate::engine::{Class, Device, View};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::network::NetworkState;
use crate::optim::StateArray;
use crate::sparse::LayerState;
use crate::topology::from_dense::keep_largest_of_each;
use crate::train::TrainConfig;
use crate::train::hooks::Hooks;

/// Weights of all pairs, on the device.
pub(super) struct DenseWeights {
    /// By layer `[n_out][n_in]`: of a buffer, which is longer where its words are no multiple of four, the weights alone.
    weights: Vec<View>,
}

/// The network to begin with: of the dense one the largest weights of each layer, `factor` times the requested number.
pub(super) fn state(
    model: &Model,
    config: &TrainConfig,
    requested: &[u64],
    factor: f64,
) -> Result<NetworkState> {
    let state = dense::state(model, config)?;
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

impl DenseWeights {
    /// None where there are no such weights.
    pub fn new(device: &Device, weights: &[Vec<f32>]) -> Result<Option<Self>> {
        if weights.is_empty() {
            return Ok(None);
        }
        let view = |w: &Vec<f32>| -> Result<View> {
            let buffer = device.buffer_with("reserve", Class::DenseWeights, w)?;
            Ok(buffer.range(0..w.len()))
        };
        Ok(Some(DenseWeights {
            weights: weights.iter().map(view).collect::<Result<_>>()?,
        }))
    }

    pub fn set(&self, device: &Device, weights: &[Vec<f32>]) -> Result<()> {
        let sizes = self.weights.iter().map(View::words);
        if !sizes.eq(weights.iter().map(Vec::len)) {
            return Err(Error::Shape(
                "the state has no dense weights for this model: it is not one of the method topkast".into(),
            ));
        }
        (self.weights.iter().zip(weights)).try_for_each(|(view, w)| device.upload(view, w))
    }

    fn get(&self, device: &Device) -> Result<Vec<Vec<f32>>> {
        (self.weights.iter())
            .map(|view| device.download(view))
            .collect()
    }
}

impl Trainer {
    /// The dense weights, for a snapshot.
    pub(super) fn dense_weights(&self) -> Result<Vec<Vec<f32>>> {
        match &self.dense_weights {
            Some(dense_weights) => dense_weights.get(&self.device),
            None => Ok(Vec::new()),
        }
    }

    /// Chooses the network anew, if that is due between the step before and the one that comes.
    pub(super) fn choose_again_if_due(&mut self, hooks: &mut Hooks<'_>) -> Result<()> {
        let step = self.place();
        if self.dense_weights.is_none()
            || step == 0
            || !step.is_multiple_of(self.schedule.every.max(1))
        {
            return Ok(());
        }
        let started = Instant::now();
        let mut weights = self.dense_weights()?;
        let before = self.network.export(&self.device)?;
        let arrays = self.options.optimiser.state();
        let dense: Vec<LayerState> = (before.layers.iter().zip(&mut weights))
            .map(|(layer, weights)| lay_back(layer, weights, &arrays))
            .collect();
        let counts = before.layers.iter().map(LayerState::active);
        let after = NetworkState {
            layers: keep_largest_of_each(&dense, counts)?,
            optimiser: before.optimiser,
            parameters: before.parameters,
            dense_weights: weights,
        };
        self.set_state(&after)?;
        self.tell_exchange(hooks, started, &before.layers, &after.layers);
        Ok(())
    }
}

/// Writes a layer's weights among all, and gives the dense layer of them, in which the optimiser begins with what was no connection.
fn lay_back(layer: &LayerState, weights: &mut [f32], arrays: &[StateArray]) -> LayerState {
    let place = |(b, a)| b as usize * layer.n_in + a as usize;
    let places: Vec<usize> = layer.pairs().map(place).collect();
    for (&at, &value) in places.iter().zip(&layer.values) {
        weights[at] = value;
    }
    let [n_in, n_out] = [layer.n_in as u32, layer.n_out as u32];
    let pairs: Vec<(u32, u32)> = (0..n_out)
        .flat_map(|b| (0..n_in).map(move |a| (b, a)))
        .collect();
    LayerState {
        values: weights.to_vec(),
        state: layer.state.spread(arrays, weights.len(), &places),
        bias: layer.bias.clone(),
        bias_state: layer.bias_state.clone(),
        ..LayerState::from_pairs(layer.n_in, layer.n_out, &pairs)
    }
}
