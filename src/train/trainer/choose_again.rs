//! The trainer's work for a method that keeps dense weights beside its network (Top-KAST): every T steps the network's
//! weights are written back to them, and the network becomes the largest of all.

use super::Trainer;
use crate::clock::Instant;
use crate::error::Result;
use crate::network::NetworkState;
use crate::optim::StateArray;
use crate::sparse::LayerState;
use crate::topology::from_dense::keep_largest_of_each;
use crate::train::hooks::Hooks;

impl Trainer {
    /// The dense weights, for a snapshot.
    pub(super) fn dense_weights(&self) -> Result<Vec<Vec<f32>>> {
        match &self.dense_weights {
            Some(dense_weights) => dense_weights.get(&self.device),
            None => Ok(Vec::new()),
        }
    }

    /// Chooses the network again, if that is due between the previous step and the next.
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

/// Writes a layer's weights back to all of its weights. Returns these as a dense layer, in which the optimiser begins
/// for everything that was not a connection.
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
        state: layer.state.spread(arrays, weights, &places),
        bias: layer.bias.clone(),
        bias_state: layer.bias_state.clone(),
        ..LayerState::from_pairs(layer.n_in, layer.n_out, &pairs)
    }
}
