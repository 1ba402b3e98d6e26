//! Measuring the variants of a model's kernels ahead of its training.

use super::on_device::Network;
use super::options::{NetworkOptions, NetworkState};
use crate::engine::Device;
use crate::engine::tune::Tuned;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::topology::{Method, MethodName, MethodOptions};

/// Measures the variants of the kernels of a training step of `model` with so many connections in its layers, on a
/// `device` that tunes, and returns what was measured. Of the options the batch counts, and how activations are stored.
/// What the device has chosen before stays.
///
/// # Errors
/// A device without variants, or one on which the model does not fit.
pub fn tune(
    device: &Device,
    model: &Model,
    counts: &[u64],
    options: &NetworkOptions,
) -> Result<Vec<Tuned>> {
    if !device.tunes() {
        return Err(Error::Usage(
            "the CPU executor runs the kernels' twins, which have no variants: name a GPU or another adapter \
             (`rootlet adapters` lists them)"
                .to_owned(),
        ));
    }
    let method: Box<dyn Method> = MethodName::Static.build(&MethodOptions::default());
    let state = NetworkState::initialise(model, counts, 0);
    Network::new(device, model, &state, options, method.as_ref())?;
    Ok(device.measured())
}
