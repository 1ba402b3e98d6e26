//! The training images on the device.

use crate::data::{Augmentation, Dataset, ResidentImages};
use crate::engine::Device;
use crate::error::{Error, Refusal, Result};
use crate::network::{Network, Resident};
use crate::train::TrainConfig;

/// Puts the training images on the device, if the configuration or the device calls for it.
pub(super) fn reside(
    device: &Device,
    network: &Network,
    config: &TrainConfig,
    data: &Dataset,
    augmentation: Augmentation,
) -> Result<Option<Resident>> {
    let Some(split) = data.train.memory() else {
        return Ok(None);
    };
    let pays = || !config.data.needs_loader() && ResidentImages::pays(device, split);
    if !config.machine.resident.unwrap_or_else(pays) {
        return Ok(None);
    }
    if config.data.needs_loader() {
        return Err(Error::refused(Refusal::ResidentMixes));
    }
    let normalisation = &data.normalisation;
    let resident = network.reside(device, split, data.shape, normalisation, augmentation)?;
    Ok(Some(resident))
}
