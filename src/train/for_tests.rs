//! Networks only for forward passes.

use super::TrainConfig;
use super::setup::Setup;
use crate::engine::Device;
use crate::error::Result;
use crate::model::Model;
use crate::network::{Network, NetworkOptions, NetworkState, Purpose};
use crate::topology::method;

/// A network only for forward passes, which computes the same as that of a training with this configuration.
///
/// # Errors
/// The state does not belong to the model, or the device is too small.
pub fn for_tests(
    device: &Device,
    config: &TrainConfig,
    model: &Model,
    state: &NetworkState,
    batch: usize,
) -> Result<Network> {
    let options = options_for_tests(config, model, batch)?;
    let averaged = state.averaged();
    let state = averaged.as_ref().unwrap_or(state);
    Network::new(device, model, state, &options, method("static")?.as_ref())
}

/// As [`for_tests`], with the gradients at the input of what the network computes. All activations are stored in 32
/// bits.
///
/// # Errors
/// As [`for_tests`].
pub(crate) fn for_input_gradients(
    device: &Device,
    config: &TrainConfig,
    model: &Model,
    state: &NetworkState,
    batch: usize,
) -> Result<Network> {
    let options = NetworkOptions {
        purpose: Purpose::InputGradients,
        ..options_for_tests(config, model, batch)?
    };
    let averaged = state.averaged();
    let state = averaged.as_ref().unwrap_or(state);
    Network::new(device, model, state, &options, method("static")?.as_ref())
}

impl Setup {
    /// As [`for_tests`]: a network of its model, with its loss and its metric.
    ///
    /// # Errors
    /// As [`for_tests`].
    pub fn for_tests(
        &self,
        device: &Device,
        config: &TrainConfig,
        state: &NetworkState,
        batch: usize,
    ) -> Result<Network> {
        let options = NetworkOptions {
            loss: self.loss.clone(),
            metric: self.metric.clone(),
            ..options_for_tests(config, &self.model, batch)?
        };
        let averaged = state.averaged();
        let state = averaged.as_ref().unwrap_or(state);
        let method = method("static")?;
        Network::new(device, &self.model, state, &options, method.as_ref())
    }
}

fn options_for_tests(config: &TrainConfig, model: &Model, batch: usize) -> Result<NetworkOptions> {
    Ok(NetworkOptions {
        micro_batch: config.machine.micro_batch.map(|part| part.min(batch)),
        forward: config.forward(model, config.topology.build_method().as_ref())?,
        dense_above: config.machine.dense_above,
        fused: config.machine.fused,
        activations: config.machine.activations,
        ..NetworkOptions::evaluation(batch)
    })
}
