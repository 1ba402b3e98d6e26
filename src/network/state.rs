//! A network's state: reading it back, and replacing it.

use super::dense;
use super::on_device::Network;
use super::options::{NetworkOptions, NetworkState};
use crate::engine::Device;
use crate::error::Result;
use crate::ranks::Fingerprint;
use crate::sparse::LayerState;
use crate::topology::Method;

impl Network {
    /// Reads the state back.
    ///
    /// # Errors
    /// A lost device.
    pub fn export(&self, device: &Device) -> Result<NetworkState> {
        Ok(NetworkState {
            layers: self.arena.export(device)?,
            optimiser: self.optimiser.as_ref().map(|own| own.name().to_owned()),
            parameters: self.parameters.export(device)?,
            dense_weights: Vec::new(),
        })
    }

    /// Whether a network made from `state` would have the same programs as this one, so that [`Network::import`] gives
    /// its bits: as many connections in all, and each layer on the same side of the density from which its products are
    /// dense.
    pub fn takes(
        &self,
        device: &Device,
        state: &NetworkState,
        options: &NetworkOptions,
        method: &dyn Method,
    ) -> bool {
        let connections: usize = state.layers.iter().map(LayerState::active).sum();
        connections == self.arena.connections
            && dense::products(device, &state.layers, options, method)
                == self.executor.buffers.products
    }

    /// Replaces the state by one of the same shapes, which this network [takes](Network::takes).
    ///
    /// # Errors
    /// A state of another model or optimiser, or one whose full layers differ from this network's; a lost device.
    pub fn import(&mut self, device: &Device, state: &NetworkState) -> Result<()> {
        dense::check(&self.executor.buffers.products, &state.layers)?;
        if let Some(own) = &self.optimiser {
            state.check_optimiser(own.as_ref())?;
        }
        self.arena.import(device, &state.layers)?;
        self.parameters.import(device, &state.parameters)?;
        self.round.sync(device)
    }

    /// Adds the connections, their weights and what layers have besides to a fingerprint.
    ///
    /// # Errors
    /// A lost device.
    pub(crate) fn fingerprint(&self, device: &Device, into: &mut Fingerprint) -> Result<()> {
        let (arena, n) = (&self.arena, self.arena.connections);
        for view in [
            arena.row_offsets.range(0..arena.n_rows + 1),
            arena.cols.range(0..n.min(arena.cols.words())),
            arena.weights.range(0..n),
            arena.bias.range(0..arena.n_rows),
            self.parameters.values.all(),
            self.parameters.untrained.all(),
        ] {
            into.words(&device.download::<u32>(&view)?);
        }
        Ok(())
    }
}
